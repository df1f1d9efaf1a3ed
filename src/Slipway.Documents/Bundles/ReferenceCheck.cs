using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Stats.Sketches;
using Slipway.Store.Archives;

namespace Slipway.Documents.Bundles;

/// <summary>Finds what cannot be true of a sealed reference, by itself and beside the spec: gateways count in its bins, and servers judge by them.</summary>
internal sealed class ReferenceCheck(Spec spec)
{
    /// <summary>Stored figures have 12 significant digits, so a mean may lie that much outside of its extremes.</summary>
    private const double Rounding = 1e-11;

    private readonly List<Fault> found = [];

    public static IEnumerable<Fault> Of(ReferenceProfile reference, Spec spec)
    {
        var check = new ReferenceCheck(spec);
        if (reference.Inputs.IsDefault || reference.Outputs.IsDefault || reference.Inputs.Concat(reference.Outputs).Any(feature => feature is null))
        {
            check.Add("reference-contradicts-itself", "inputs or outputs are missing");
            return check.found;
        }

        var (inputs, outputs) = (Profiled(spec.Model!.Signature.Inputs), Profiled(spec.Model.Signature.Outputs));
        if (!reference.Inputs.Select(feature => feature.Name).SequenceEqual(inputs.Select(input => input.Name)))
            check.Add("reference-contradicts-spec", "its inputs are not those of the signature that have one value a row, in order");
        var named = reference.Outputs.Select(feature => feature.Name).ToHashSet(StringComparer.Ordinal);
        if (!reference.Outputs.Select(feature => feature.Name).SequenceEqual(outputs.Select(output => output.Name).Where(named.Contains)))
            check.Add("reference-contradicts-spec", "its outputs are not of the signature, or not in its order");
        if (spec.Evaluate is null && !reference.Outputs.IsEmpty)
            check.Add("reference-contradicts-spec", "it has outputs, and spec.json asks for no evaluation");
        check.Features(reference.Inputs, inputs, isOutput: false);
        check.Features(reference.Outputs, outputs, isOutput: true);
        return check.found;
    }

    private static List<TensorSpec> Profiled(ImmutableArray<TensorSpec> tensors) => [.. tensors.Where(tensor => tensor.HasOneValueARow)];

    private void Features(ImmutableArray<ReferenceFeature> features, List<TensorSpec> tensors, bool isOutput)
    {
        if (features.Select(feature => feature.Profile?.Count).Distinct().Count() > 1)
            Add("reference-contradicts-itself", $"its {(isOutput ? "outputs" : "inputs")} are of different numbers of rows, and would be of one table");
        foreach (var feature in features)
        {
            if (tensors.Find(tensor => tensor.Name == feature.Name) is not { } tensor)
                continue;
            if (feature.Sensitivity != spec.SensitivityOf(feature.Name, isOutput))
                Add("reference-contradicts-spec", $"{Shown(feature)} is {feature.Sensitivity.Word()}, and by spec.json {spec.SensitivityOf(feature.Name, isOutput).Word()}");
            if (Bins(feature, tensor) is { } wrongBins)
                Add("reference-contradicts-itself", $"{Shown(feature)}: {wrongBins}");
            else if (Profile(feature, tensor) is { } wrongProfile)
                Add("reference-contradicts-itself", $"{Shown(feature)}: {wrongProfile}");
        }
    }

    private static string? Bins(ReferenceFeature feature, TensorSpec tensor)
    {
        if (tensor.HasCategories != feature.Categories is not null || tensor.HasCategories == feature.Edges is not null)
            return tensor.HasCategories ? "text and truth have categories, and no edges" : "numbers have edges, and no categories";
        if (feature.Edges is { } edges && (edges.IsDefault || edges.Length >= ReferenceFeature.MostValues || edges.Any(edge => !double.IsFinite(edge)) || !IsAscending(edges, (x, y) => x.CompareTo(y))))
            return $"its edges are not finite and ascending, or {ReferenceFeature.MostValues} or more";
        if (feature.Categories is { } categories && (categories.IsDefault || categories.Length > ReferenceFeature.MostCategories || categories.Any(category => category is not { Length: > 0 and <= ReferenceFeature.LongestCategory }) || !IsAscending(categories, ByCodePoint)))
            return $"its categories are not different and sorted, or more than {ReferenceFeature.MostCategories}, or one is empty or too long";
        return null;
    }

    private static string? Profile(ReferenceFeature feature, TensorSpec tensor)
    {
        var (profile, isSensitive) = (feature.Profile, feature.Sensitivity == Sensitivity.Sensitive);
        if (profile is null || profile.Bins.IsDefault || profile.Count < 0 || profile.Missing < 0 || profile.Missing > profile.Count || profile.Bins.Any(count => count < 0))
            return "a count is missing or negative";
        if (profile.Bins.Length != feature.BinCount)
            return $"it has counts of {profile.Bins.Length} bins, and {feature.BinCount} bins";
        if (profile.Bins.Sum() != profile.Count - profile.Missing)
            return $"its bins hold {profile.Bins.Sum()} rows, and {profile.Count - profile.Missing} are there";
        // All but what is left over: the last bin of text, and a number's only one.
        if (isSensitive && (tensor.HasCategories ? profile.Bins[..^1] : profile.Bins.Length == 1 ? [] : profile.Bins).Any(count => count < ReferenceFeature.LeastSensitiveRows))
            return $"it is sensitive, and a bin holds fewer than {ReferenceFeature.LeastSensitiveRows} rows";
        if (profile.Moments is null != (tensor.HasCategories || isSensitive))
            return isSensitive ? "it is sensitive, and has moments" : "numbers have moments, and nothing else has";
        return profile.Moments is { } moments ? Moments(moments, profile) : null;
    }

    private static string? Moments(Moments moments, ColumnProfile profile)
    {
        var values = new[] { moments.Min, moments.Max, moments.Mean, moments.M2, moments.M3, moments.M4 };
        var slack = Rounding * Math.Max(Math.Abs(moments.Min), Math.Abs(moments.Max));
        return moments.Count < 0 || moments.Count > profile.Count - profile.Missing || values.Any(value => !double.IsFinite(value)) || moments.M2 < 0 || moments.M4 < 0
            || (moments.Count == 0 && values.Any(value => value != 0)) || moments.Min > moments.Mean + slack || moments.Mean > moments.Max + slack
            ? "its moments are of no numbers that there could be"
            : null;
    }

    private static bool IsAscending<T>(ImmutableArray<T> values, Comparison<T> compare) => values.Zip(values.Skip(1)).All(pair => compare(pair.First, pair.Second) < 0);

    private static int ByCodePoint(string x, string y) => Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y));

    private static string Shown(ReferenceFeature feature) => ForeignText.Shown(feature.Name ?? "");

    private void Add(string code, string message) => found.Add(new Fault(code, $"reference.json: {message}"));
}
