using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Differences;

/// <summary>What differs between two verified bundles, by what it is of. Pure: the same two give the same document.</summary>
/// <param name="A">The former.</param>
/// <param name="B">The latter; differences of figures are B − A.</param>
/// <param name="IsSame">Whether they have one digest: then every list is empty.</param>
/// <param name="Documents">Sealed documents whose bytes differ, so that nothing that differs goes untold.</param>
/// <param name="Metrics">Of both, changed or not; empty where neither was evaluated.</param>
public sealed record BundleDifference(
    DifferenceSide A,
    DifferenceSide B,
    bool IsSame,
    ImmutableArray<Change> Data,
    ImmutableArray<Change> Code,
    ImmutableArray<Change> Params,
    ImmutableArray<Change> Environments,
    ImmutableArray<Change> Hardware,
    ImmutableArray<Change> Determinism,
    ImmutableArray<Change> Stages,
    ImmutableArray<Change> Model,
    ImmutableArray<Change> Signature,
    ImmutableArray<Change> Evaluation,
    ImmutableArray<MetricChange> Metrics,
    ImmutableArray<Change> Gates,
    ImmutableArray<Change> Documents)
{
    /// <param name="a">Bundle and documents that belong together; likewise <paramref name="b"/>.</param>
    /// <remarks>Costs a pass over both code layers.</remarks>
    public static BundleDifference Between((VerifiedBundle Bundle, BundleDocuments Documents) a, (VerifiedBundle Bundle, BundleDocuments Documents) b, CancellationToken cancellation = default)
    {
        var (was, now) = (a.Documents, b.Documents);
        return new BundleDifference(
            DifferenceSide.Of(a.Bundle, was),
            DifferenceSide.Of(b.Bundle, now),
            a.Bundle.Digest == b.Bundle.Digest,
            DataChanges.Of(was, now),
            CodeChanges.Of(a.Bundle, b.Bundle, cancellation),
            Change.Each(was.Spec.Params, now.Spec.Params, value => Text(value)),
            EnvironmentChanges(was, now),
            Change.Each(was.Hardware, now.Hardware, needs => Json(needs, DocumentJson.Default.HardwareProfile)),
            Change.Fields(("seed", was.Spec.Determinism.Seed, now.Spec.Determinism.Seed), ("epoch", was.Spec.Determinism.Epoch, now.Spec.Determinism.Epoch)),
            StageChanges.Of(was, now),
            ModelChanges(a, b),
            SignatureChanges(was, now),
            EvaluationChanges(was, now),
            MetricChange.Between(was, now),
            GateChanges(a, b),
            [.. Change.Each(Digests(a.Bundle), Digests(b.Bundle), digest => digest)]);
    }

    private static ImmutableArray<Change> EnvironmentChanges(BundleDocuments was, BundleDocuments now) =>
    [
        .. was.Environments.Keys.Union(now.Environments.Keys).Order(StringComparer.Ordinal).SelectMany(name =>
            (was.Environments.GetValueOrDefault(name), now.Environments.GetValueOrDefault(name)) switch
            {
                (null, { } added) => [new Change(name, null, added.Digest.ToString())],
                ({ } removed, null) => [new Change(name, removed.Digest.ToString(), null)],
                var (before, after) => Change.Fields(($"{name}, architecture", before!.Architecture, after!.Architecture))
                    .Concat(Change.Each(before.Packages, after.Packages, version => version).Select(package => package with { What = $"{name}, {package.What}" })),
            }),
    ];

    private static ImmutableArray<Change> ModelChanges((VerifiedBundle Bundle, BundleDocuments Documents) a, (VerifiedBundle Bundle, BundleDocuments Documents) b)
    {
        var (was, now) = (a.Documents.Spec, b.Documents.Spec);
        return Change.Fields(
            ("name", was.Name, now.Name),
            ("licence", was.License, now.License),
            ("task", was.Model!.Task, now.Model!.Task),
            ("artifact", was.Model.Artifact, now.Model.Artifact),
            ("command", Command(was.Model.Runtime.Process), Command(now.Model.Runtime.Process)),
            ("content", ModelOf(a.Bundle).Digest, ModelOf(b.Bundle).Digest),
            ("size", ModelOf(a.Bundle).Size, ModelOf(b.Bundle).Size));

        static string? Command(ImmutableArray<string>? words) => words is { } given ? string.Join(' ', given) : null;

        static Store.Oci.OciDescriptor ModelOf(VerifiedBundle bundle) => bundle.Layers.First(layer => layer.Kind == LayerKind.Weight).Blob;
    }

    private static ImmutableArray<Change> SignatureChanges(BundleDocuments was, BundleDocuments now) =>
    [
        .. Tensors(was.Signature.Inputs, now.Signature.Inputs, "input"),
        .. Tensors(was.Signature.Outputs, now.Signature.Outputs, "output"),
    ];

    private static IEnumerable<Change> Tensors(ImmutableArray<Serving.TensorSpec> was, ImmutableArray<Serving.TensorSpec> now, string what)
    {
        var changes = Change.Each(ByName(was), ByName(now), tensor => Json(tensor, DocumentJson.Default.TensorSpec)).Select(change => change with { What = $"{what} {change.What}" });
        return was.Select(tensor => tensor.Name).SequenceEqual(now.Select(tensor => tensor.Name)) || changes.Any()
            ? changes
            : [new Change($"{what}s, their order", string.Join(", ", was.Select(tensor => tensor.Name)), string.Join(", ", now.Select(tensor => tensor.Name)))];

        static IReadOnlyDictionary<string, Serving.TensorSpec> ByName(ImmutableArray<Serving.TensorSpec> tensors) =>
            tensors.DistinctBy(tensor => tensor.Name).ToImmutableSortedDictionary(tensor => tensor.Name, tensor => tensor, StringComparer.Ordinal);
    }

    private static ImmutableArray<Change> EvaluationChanges(BundleDocuments was, BundleDocuments now) => Change.Fields(
        ("predictions", was.Evaluation?.Predictions, now.Evaluation?.Predictions),
        ("rows", was.Evaluation?.Rows, now.Evaluation?.Rows),
        ("positives", was.Evaluation?.Positives, now.Evaluation?.Positives),
        ("unit", was.Evaluation?.Unit, now.Evaluation?.Unit),
        ("units", was.Evaluation?.UnitsDigest, now.Evaluation?.UnitsDigest),
        ("confidence", was.Evaluation?.Confidence, now.Evaluation?.Confidence),
        ("resamples", was.Evaluation?.Resamples, now.Evaluation?.Resamples),
        ("method", was.Evaluation?.Method, now.Evaluation?.Method),
        ("baseline", was.Lock.Baseline, now.Lock.Baseline));

    /// <summary>What the gates ask for, and what trusted keys attested of each; of one bundle in two places only the former can differ, and does not.</summary>
    private static ImmutableArray<Change> GateChanges((VerifiedBundle Bundle, BundleDocuments Documents) a, (VerifiedBundle Bundle, BundleDocuments Documents) b) =>
        a.Bundle.Digest == b.Bundle.Digest ? [] :
        [
            .. Change.Each(GateConditions(a.Documents), GateConditions(b.Documents), condition => condition),
            .. Change.Each(Verdicts(a.Bundle), Verdicts(b.Bundle), verdict => verdict).Select(change => change with { What = $"{change.What}, verdict" }),
        ];

    private static ImmutableSortedDictionary<string, string> Verdicts(VerifiedBundle bundle) =>
        (GateVerdict.Find(bundle)?.Report.Gates ?? []).DistinctBy(gate => gate.Name).ToImmutableSortedDictionary(gate => gate.Name, gate => gate.Verdict.Word(), StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string> GateConditions(BundleDocuments documents) =>
        documents.Spec.Gates.DistinctBy(gate => gate.Name).ToImmutableSortedDictionary(gate => gate.Name, gate => gate.Require, StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string> Digests(VerifiedBundle bundle) =>
        bundle.Documents.ToImmutableSortedDictionary(document => document.Key, document => Digest.Of(document.Value.Span).ToString(), StringComparer.Ordinal);

    internal static string Text(JsonElement value) => Specs.StageParams.Text(value);

    private static string Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => System.Text.Encoding.UTF8.GetString(CanonicalJson.Serialize(value, type));
}

/// <param name="Size">Bytes of manifest, config and layers.</param>
public sealed record DifferenceSide(Digest Digest, string Name, long Size)
{
    internal static DifferenceSide Of(VerifiedBundle bundle, BundleDocuments documents) =>
        new(bundle.Digest, documents.Spec.Name, bundle.Manifest.Blobs.Sum(blob => blob.Size) + bundle.Manifest.ToBytes().Length);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BundleDifference))]
[JsonSerializable(typeof(RunComparison))]
public sealed partial class DifferenceJson : JsonSerializerContext;
