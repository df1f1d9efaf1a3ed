using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>What a stage takes in: by content for its key, by file for its private folder.</summary>
/// <param name="ByName">By input as written; an SQL stage's file counts as one.</param>
internal sealed record StageInputs(ImmutableSortedDictionary<string, StageInputContent> ByName)
{
    /// <summary>For the step key.</summary>
    public ImmutableSortedDictionary<string, KeyInput> ForKey =>
        ByName.ToImmutableSortedDictionary(input => input.Key, input => new KeyInput(input.Value.Path, input.Value.Kind, input.Value.Digest), StringComparer.Ordinal);

    /// <param name="datasets">Digest by dataset.</param>
    /// <param name="outputs">Outputs of the stages before, by <c>stage.output</c>.</param>
    /// <exception cref="Primitives.Faults.SlipwayException">A path input is missing (exit 2).</exception>
    public static StageInputs Of(Spec spec, StageSpec stage, ProjectFiles files, Func<string, Digest> datasets, Func<string, Artifact> outputs)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, StageInputContent>(StringComparer.Ordinal);
        IEnumerable<StageInput> all = stage.Sql is { } sql ? [.. stage.Inputs, new StageInput(InputKind.Path, sql) { At = stage.At }] : stage.Inputs;
        foreach (var input in all)
        {
            found[input.Name] = input.Kind switch
            {
                InputKind.Path => OfPath(input.Name, files.Resolve(input)),
                InputKind.Output => OfOutput(input.Name, spec.PathOf(input.Name)!, outputs(input.Name)),
                _ => new StageInputContent(input.Kind, input.Name, DatasetPlace.Of(spec.Data[input.Name]).Path, ArtifactKind.Dataset, datasets(input.Name), null),
            };
        }

        return new StageInputs(found.ToImmutable());
    }

    private static StageInputContent OfPath(string name, Artifact artifact) => new(InputKind.Path, name, name, artifact.Kind, artifact.Digest, artifact.Size);

    private static StageInputContent OfOutput(string name, string path, Artifact artifact) => new(InputKind.Output, name, path, artifact.Kind, artifact.Digest, artifact.Size);

    /// <summary>Every file that the stage may read, by the input that it belongs to: looked for as they are asked for, each time again.</summary>
    /// <exception cref="Primitives.Faults.SlipwayException">While they are asked for: a path input is no longer what the key says (exit 2).</exception>
    public IEnumerable<(StageInputContent Input, IEnumerable<PlacedFile> Files)> Files(Spec spec, string root, ProjectFiles files, ContentStore objects, IReadOnlyDictionary<string, Snapshot> snapshots) =>
        ByName.Values.Select(input => (input, input.From switch
        {
            InputKind.Path => files.Files(input.Name, new Artifact(input.Digest, input.Kind, input.Size!.Value)).Select(file => new PlacedFile(file.Path, Path.Combine(root, file.Path), file.Executable, file.Size, file.Digest, FromStore: false)),
            InputKind.Output => Stored(input, objects),
            _ => DatasetPlace.Of(spec.Data[input.Name]).Files(root, snapshots[input.Name]),
        }));

    /// <summary>Those of them that are in the store.</summary>
    public IEnumerable<PlacedFile> Stored(ContentStore objects) => ByName.Values.Where(input => input.From == InputKind.Output).SelectMany(input => Stored(input, objects));

    private static IEnumerable<PlacedFile> Stored(StageInputContent input, ContentStore objects) =>
        input.Kind == ArtifactKind.Folder
            ? objects.ReadTree(input.Digest).Files.Select(file => new PlacedFile(input.Path.TrimEnd('/') + "/" + file.Path, objects.PathOf(file.Digest), file.Executable, file.Size, file.Digest, FromStore: true))
            : [new PlacedFile(input.Path, objects.PathOf(input.Digest), input.Kind == ArtifactKind.Program, input.Size!.Value, input.Digest, FromStore: true)];
}

/// <param name="Path">Where the stage finds it, relative to its working directory.</param>
/// <param name="Size">Bytes; null for a dataset, whose snapshot has them.</param>
internal sealed record StageInputContent(InputKind From, string Name, string Path, ArtifactKind Kind, Digest Digest, long? Size);

/// <summary>One file of a stage's private folder.</summary>
/// <param name="Path">Relative to the working directory.</param>
/// <param name="Source">Absolute path of the user's file, or of the object.</param>
internal readonly record struct PlacedFile(string Path, string Source, bool Executable, long Size, Digest Digest, bool FromStore);

/// <summary>Where a dataset is, and where a stage finds it: at its own path, which is inside the project (a link may lead out).</summary>
/// <param name="Root">The folder that the snapshot's paths are relative to, as the user wrote it; empty for the project's root.</param>
/// <param name="Path">File or folder, relative to a stage's working directory.</param>
internal sealed record DatasetPlace(string Name, string Root, string Path)
{
    public static DatasetPlace Of(DatasetSpec dataset)
    {
        var isGlob = Glob.IsPattern(dataset.Path);
        var root = isGlob ? dataset.Path[..(dataset.Path.LastIndexOf('/', dataset.Path.AsSpan().IndexOfAny('*', '?')) + 1)] : dataset.Path;
        return new DatasetPlace(dataset.Name, root, root.TrimEnd('/'));
    }

    public IEnumerable<PlacedFile> Files(string root, Snapshot snapshot)
    {
        var source = System.IO.Path.Combine(root, Root);
        var isFile = File.Exists(source);
        foreach (var file in snapshot.Files)
        {
            yield return new PlacedFile(
                isFile ? Path : System.IO.Path.Combine(Path, file.Path),
                isFile ? source : System.IO.Path.Combine(source, file.Path),
                Executable: false,
                file.Size,
                file.Digest,
                FromStore: false);
        }
    }
}
