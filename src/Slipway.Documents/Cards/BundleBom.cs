using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Bom;
using Slipway.Documents.Bundles;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Store.Content;

namespace Slipway.Documents.Cards;

/// <summary>Makes the bill of materials of a bundle: the model with its card, the data, every package of its environments, the code.</summary>
/// <remarks>From sealed documents, and from what the host's package database tells of packages. No value of the data is in it: slices are named by column and rank alone where their column is sensitive.</remarks>
/// <param name="model">The model's files by path in the bundle.</param>
/// <param name="code">The sealed code's files by path in the project.</param>
/// <param name="packages">What the host knows, by environment and package name; what is missing is said to be unknown.</param>
/// <param name="toolVersion">Of Slipway.</param>
public sealed class BundleBom(
    BundleDocuments documents,
    IReadOnlyCollection<FileTreeEntry> model,
    IReadOnlyCollection<FileTreeEntry> code,
    ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, PackageFacts>> packages,
    string toolVersion)
{
    /// <summary>As a bill names who made it.</summary>
    public const string Tool = "slipway";

    /// <summary>Files of the model, and of the code, that are components of their own; of more, their number and the digest of their list stand for them. Files of all datasets together likewise.</summary>
    /// <remarks>An attestation is read up to 16 MiB: with these bounds a bill has half of that at most.</remarks>
    private const int MostFiles = 5_000;

    /// <summary>Values of a column whose metrics are told, largest first; the sealed evaluation has all.</summary>
    private const int MostSlices = 100;

    private const string ModelRef = "model";

    private readonly Spec spec = documents.Spec;

    public CycloneDxBom Build()
    {
        var data = documents.Snapshots.Values.Select(Data).ToImmutableArray();
        var libraries = documents.Environments.Values.SelectMany(environment => environment.Packages.Select(package => Library(environment, package.Key, package.Value)))
            .DistinctBy(library => library.BomRef).ToImmutableArray();
        var files = code.Count <= MostFiles ? Files("code", code) : [new BomComponent("file", "code", "code", Properties: Summary(code))];
        ImmutableArray<BomComponent> components = [.. data, .. libraries, .. files];
        return new CycloneDxBom(
            CycloneDxBom.Format,
            CycloneDxBom.V16,
            1,
            new BomMetadata(Model(data), new BomTools([new BomComponent("application", Tool, Version: toolVersion)])),
            components,
            [new BomDependency(ModelRef, [.. components.Select(component => component.BomRef!)])]).WithSerialNumber();
    }

    private BomComponent Model(ImmutableArray<BomComponent> data)
    {
        return new BomComponent(
            "machine-learning-model",
            spec.Name,
            ModelRef,
            Hashes: model.Count == 1 ? BomHash.Of(model.First().Digest) : null,
            Licenses: spec.License is { } license ? [LicenseNames.Choice(license)] : null,
            Properties: [.. spec.License is null ? [LicenseNames.Unknown] : ImmutableArray<BomProperty>.Empty, .. model.Count > MostFiles ? Summary(model) : []],
            Components: model.Count is > 1 and <= MostFiles ? Files("model", model) : null,
            ModelCard: new BomModelCard(
                new BomModelParameters(
                    spec.Model!.Task,
                    [.. documents.Signature.Inputs.Select(Format)],
                    [.. documents.Signature.Outputs.Select(Format)],
                    [.. data.Select(component => new BomDatasetRef(component.BomRef!))]),
                documents.Evaluation is { } evaluation ? new BomQuantitativeAnalysis([.. Metrics(evaluation)]) : null,
                new BomConsiderations([.. CardLimits.Of(WithoutValues(documents.Evaluation), null, documents.Signature)])));
    }

    private IEnumerable<BomMetric> Metrics(Evaluation evaluation)
    {
        foreach (var (name, figure) in evaluation.Metrics)
            yield return Metric(name, figure, null);
        foreach (var (column, slices) in evaluation.Slices)
        {
            foreach (var (i, slice) in slices.Take(MostSlices).Index())
            {
                foreach (var (name, figure) in slice.Metrics)
                    yield return Metric(name, figure, IsPublic(column) ? $"{column}={slice.Value}" : string.Create(CultureInfo.InvariantCulture, $"{column}#{i + 1}"));
            }
        }
    }

    /// <summary>Whose values anyone may see: of sensitive columns a slice is told by its rank, largest first.</summary>
    private bool IsPublic(string column) => spec.SensitivityOf(column, isOutput: false) == Sensitivity.Public;

    private Evaluation? WithoutValues(Evaluation? evaluation) => evaluation is null ? null : evaluation with
    {
        Slices = evaluation.Slices.ToImmutableSortedDictionary(
            column => column.Key,
            column => IsPublic(column.Key) ? column.Value : [.. column.Value.Select((slice, i) => slice with { Value = string.Create(CultureInfo.InvariantCulture, $"#{i + 1}") })],
            StringComparer.Ordinal),
    };

    private static BomMetric Metric(string name, Figure figure, string? slice) => new(
        name,
        CanonicalJson.Number(figure.Value),
        slice,
        figure is { Low: { } low, High: { } high } ? new BomInterval(CanonicalJson.Number(low), CanonicalJson.Number(high)) : null);

    private BomComponent Data(Snapshot snapshot)
    {
        var source = spec.Data.GetValueOrDefault(snapshot.Name)?.Source;
        var files = snapshot.Files.Length > 1 && documents.Snapshots.Values.Sum(each => each.Files.Length) <= MostFiles ? snapshot.Files : [];
        return new BomComponent(
            "data",
            snapshot.Name,
            $"data:{snapshot.Name}",
            Hashes: snapshot.Files is [var only] ? BomHash.Of(only.Digest) : null,
            Licenses: source?.License is { } license ? [LicenseNames.Choice(license)] : null,
            ExternalReferences: source is { Url: var url } && Uri.TryCreate(url, UriKind.Absolute, out var address) ? [new BomReference("distribution", address.AbsoluteUri)] : null,
            Properties:
            [
                new BomProperty("slipway:snapshot", snapshot.Digest.ToString()),
                new BomProperty("slipway:rows", snapshot.Rows.ToString(CultureInfo.InvariantCulture)),
                new BomProperty("slipway:files", snapshot.Files.Length.ToString(CultureInfo.InvariantCulture)),
                .. source?.License is null ? [LicenseNames.Unknown] : ImmutableArray<BomProperty>.Empty,
            ],
            Components: files.IsEmpty ? null : [.. files.Select(file => new BomComponent("file", file.Path, $"data:{snapshot.Name}/{file.Path}", Hashes: BomHash.Of(file.Digest)))],
            Data: [new BomData("dataset", snapshot.Name)]);
    }

    private BomComponent Library(HostFingerprint environment, string name, string version)
    {
        var known = packages.GetValueOrDefault(environment.Name)?.GetValueOrDefault(name);
        var purl = $"pkg:deb/{known?.Distribution ?? "debian"}/{Uri.EscapeDataString(name)}@{Uri.EscapeDataString(version)}?arch={Uri.EscapeDataString(environment.Architecture)}";
        return new BomComponent(
            "library",
            name,
            purl,
            version,
            Hashes: known?.Archive is { } archive ? BomHash.Of(archive) : null,
            Licenses: known is { Licenses.IsEmpty: false } ? [.. known.Licenses.Select(LicenseNames.Choice)] : null,
            Purl: purl,
            Properties:
            [
                new BomProperty("slipway:environment", environment.Digest.ToString()),
                .. known is { Licenses.IsEmpty: false } ? [] : ImmutableArray.Create(LicenseNames.Unknown),
                .. known?.Archive is not null ? [] : ImmutableArray.Create(new BomProperty("slipway:hash", "unknown")),
            ]);
    }

    private static ImmutableArray<BomComponent> Files(string kind, IEnumerable<FileTreeEntry> files) =>
        [.. files.OrderBy(file => file.Path, StringComparer.Ordinal).Select(file => new BomComponent("file", file.Path, $"{kind}:{file.Path}", Hashes: BomHash.Of(file.Digest)))];

    private static ImmutableArray<BomProperty> Summary(IReadOnlyCollection<FileTreeEntry> files) =>
        [new BomProperty("slipway:files", files.Count.ToString(CultureInfo.InvariantCulture)), new BomProperty("slipway:tree", FileTree.Of(files).Digest.ToString())];

    private static BomFormat Format(TensorSpec tensor) => new(
        $"{tensor.Name}: {NamedEnum<Datatype>.Word(tensor.Datatype)} [{string.Join(", ", tensor.Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))}]"
        + (tensor.Range is { } range ? $", {CanonicalJson.Number(range.Low)} to {CanonicalJson.Number(range.High)}" : "")
        + (tensor.Unit is { } unit ? $" {unit}" : ""));
}
