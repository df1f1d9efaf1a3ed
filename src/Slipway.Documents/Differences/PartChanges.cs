using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Bundles;
using Slipway.Documents.Datasets;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Differences;

/// <summary>What differs in datasets: files are counted, and the first few named.</summary>
internal static class DataChanges
{
    /// <summary>Files of a dataset that are named; further ones are counted. A dataset may have very many.</summary>
    private const int MostFiles = 20;

    public static ImmutableArray<Change> Of(BundleDocuments was, BundleDocuments now) =>
    [
        .. was.Snapshots.Keys.Union(now.Snapshots.Keys).Order(StringComparer.Ordinal).SelectMany(name =>
            (was.Snapshots.GetValueOrDefault(name), now.Snapshots.GetValueOrDefault(name)) switch
            {
                (null, { } added) => [new Change(name, null, Summary(added))],
                ({ } removed, null) => [new Change(name, Summary(removed), null)],
                var (before, after) => Between(name, before!, after!),
            }),
    ];

    private static IEnumerable<Change> Between(string name, Snapshot was, Snapshot now)
    {
        foreach (var change in Change.Fields(
            ($"{name}, digest", was.Digest, now.Digest),
            ($"{name}, rows", was.Rows, now.Rows),
            ($"{name}, bytes", was.Files.Sum(file => file.Size), now.Files.Sum(file => file.Size)),
            ($"{name}, files", was.Files.Length, now.Files.Length)))
            yield return change;
        var columns = Change.Each(Types(was), Types(now), type => type);
        foreach (var change in columns)
            yield return change with { What = $"{name}, column {change.What}" };
        if (columns.IsEmpty && !was.Columns.SequenceEqual(now.Columns))
            yield return new Change($"{name}, order of columns", string.Join(", ", was.Columns.Select(column => column.Name)), string.Join(", ", now.Columns.Select(column => column.Name)));
        var files = Change.Each(Digests(was), Digests(now), digest => digest.ToString());
        foreach (var change in files.Take(MostFiles))
            yield return change with { What = $"{name}, file {change.What}" };
        if (files.Length > MostFiles)
        {
            var rest = files.Skip(MostFiles).ToArray();
            yield return new Change($"{name}, further files", $"{rest.Count(change => change.IsRemoved)} removed", $"{rest.Count(change => change.IsAdded)} added, {rest.Count(change => !change.IsAdded && !change.IsRemoved)} changed");
        }
    }

    private static string Summary(Snapshot snapshot) => string.Create(CultureInfo.InvariantCulture, $"{snapshot.Digest}, {snapshot.Rows} rows");

    private static ImmutableSortedDictionary<string, string> Types(Snapshot snapshot) =>
        snapshot.Columns.DistinctBy(column => column.Name).ToImmutableSortedDictionary(column => column.Name, column => column.Type, StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, Digest> Digests(Snapshot snapshot) =>
        snapshot.Files.DistinctBy(file => file.Path).ToImmutableSortedDictionary(file => file.Path, file => file.Digest, StringComparer.Ordinal);
}

/// <summary>What differs in the sealed code, by file.</summary>
internal static class CodeChanges
{
    /// <exception cref="Primitives.Faults.SlipwayException">A blob changed since its bundle was verified (exit 1).</exception>
    public static ImmutableArray<Change> Of(VerifiedBundle was, VerifiedBundle now, CancellationToken cancellation) =>
        was.Layers.FirstOrDefault(layer => layer.Kind == LayerKind.Code)?.Blob.Digest == now.Layers.FirstOrDefault(layer => layer.Kind == LayerKind.Code)?.Blob.Digest
            ? []
            : Change.Each(SealedFiles.Of(was, cancellation), SealedFiles.Of(now, cancellation), file => file.Digest + (file.Executable ? ", executable" : ""));
}

/// <summary>What differs in stages: the command as written, what is declared, how many threads.</summary>
internal static class StageChanges
{
    public static ImmutableArray<Change> Of(BundleDocuments was, BundleDocuments now)
    {
        var (before, after) = (ByName(was), ByName(now));
        return
        [
            .. before.Keys.Union(after.Keys).Order(StringComparer.Ordinal).SelectMany(name => (before.GetValueOrDefault(name), after.GetValueOrDefault(name)) switch
            {
                (null, { } added) => [new Change(name, null, Command(added))],
                ({ } removed, null) => [new Change(name, Command(removed), null)],
                var (a, b) => Between(name, a!, b!),
            }),
        ];
    }

    private static ImmutableArray<Change> Between(string name, StepKeyDocument was, StepKeyDocument now) => Change.Fields(
        ($"{name}, contract", was.Version, now.Version),
        ($"{name}, command", Command(was), Command(now)),
        ($"{name}, engine", was.Engine, now.Engine),
        ($"{name}, threads", was.Threads, now.Threads),
        ($"{name}, network", (was.Network ?? StageNetwork.None).Word(), (now.Network ?? StageNetwork.None).Word()),
        ($"{name}, secrets", Listed(was.Secrets ?? []), Listed(now.Secrets ?? [])),
        ($"{name}, inputs", Listed(was.Inputs.Keys), Listed(now.Inputs.Keys)),
        ($"{name}, outputs", Listed(was.Outputs.Select(output => $"{output.Key}: {output.Value}")), Listed(now.Outputs.Select(output => $"{output.Key}: {output.Value}"))));

    private static ImmutableSortedDictionary<string, StepKeyDocument> ByName(BundleDocuments documents) =>
        documents.Rerun.Stages.ToImmutableSortedDictionary(step => step.Stage, step => step, StringComparer.Ordinal);

    private static string Command(StepKeyDocument step) => step.Run is { } run ? string.Join(' ', run) : step.Sql ?? "";

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names);
}
