using System.Collections.Immutable;
using Slipway.Documents.Bundles;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Hardware;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;

namespace Slipway.Documents.Registry;

/// <summary>What a model card tells beside the evaluation: all from the bundle's sealed documents.</summary>
/// <param name="Task">As the spec names it.</param>
/// <param name="License">Of the spec; null when it says none.</param>
/// <param name="IsOnnx">Hosted by ONNX Runtime; otherwise by a command of its own.</param>
/// <param name="Sources">Where datasets came from, as the spec says; those without are left out.</param>
/// <param name="Environments">Debian packages by environment.</param>
public sealed record SealedCard(
    string Task,
    string? License,
    bool IsOnnx,
    long Seed,
    ModelSignature Signature,
    ImmutableArray<CardSnapshot> Snapshots,
    ImmutableSortedDictionary<string, DatasetSource> Sources,
    ImmutableArray<HostFingerprint> Environments,
    ImmutableSortedDictionary<string, HardwareProfile> Hardware)
{
    public static SealedCard Of(BundleDocuments documents) => new(
        documents.Spec.Model!.Task,
        documents.Spec.License,
        documents.Spec.Model.Runtime.IsOnnx,
        documents.Spec.Determinism.Seed,
        documents.Signature,
        [.. documents.Snapshots.Values.Select(CardSnapshot.Of)],
        documents.Spec.Data.Values.Where(data => data.Source is not null).ToImmutableSortedDictionary(data => data.Name, data => data.Source!, StringComparer.Ordinal),
        [.. documents.Environments.Values],
        documents.Hardware);
}

/// <summary>A snapshot without the list of its files, which may be long.</summary>
/// <param name="Bytes">Of all files.</param>
public sealed record CardSnapshot(string Name, Slipway.Primitives.Bytes.Digest Digest, int Files, long Bytes, long Rows, ImmutableArray<ColumnSchema> Columns)
{
    public static CardSnapshot Of(Snapshot snapshot) =>
        new(snapshot.Name, snapshot.Digest, snapshot.Files.Length, snapshot.Files.Sum(file => file.Size), snapshot.Rows, snapshot.Columns);
}
