using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Files;
using Slipway.Runtime.Environments;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline;

/// <summary>All files and folders that a status hangs on: while none of their stamps changes, neither does the status.</summary>
public static class StatusFootprint
{
    /// <summary>Paths; a look at one costs some 2 µs.</summary>
    private const int Most = 100_000;

    /// <returns>Absolute paths; null when not everything is known, they cannot be listed or are too many, and the status is to be found out anew each time.</returns>
    public static ImmutableArray<string>? Of(Spec spec, ProjectFolder project, ResolvedInputs inputs, StatusReport report)
    {
        if (report.Stages.Any(stage => stage.State != StageState.Cached))
            return null;
        var paths = new HashSet<string>(StringComparer.Ordinal) { project.LockFile, HostEnvironment.DebianStatus };
        foreach (var source in spec.Sources)
            paths.Add(Path.Combine(project.Root, source));
        if (spec.Evaluate?.Baseline is { } baseline)
            paths.Add(Path.Combine(BundleReference.Parse(baseline).Folder ?? project.Bundles, "index.json"));

        var listable = true;
        foreach (var declared in spec.Data.Values.Select(dataset => dataset.Path).Concat(spec.Stages.SelectMany(Declared)))
            listable &= AddDeclared(Path.Combine(project.Root, declared));
        foreach (var file in inputs.Data.Values.SelectMany(taken => taken.Files))
            paths.Add(file);
        AddStored();
        return listable && paths.Count <= Most ? [.. paths.Order(StringComparer.Ordinal)] : null;

        bool AddDeclared(string path)
        {
            while (Glob.IsPattern(path))
                path = Path.GetDirectoryName(path)!;
            paths.Add(path.TrimEnd('/'));
            return FileStamp.Of(path) is not { Kind: FileKind.Folder } || AddFolder(path);
        }

        // A folder's own stamp tells of names that came and went; links could lead anywhere, so they are not followed.
        bool AddFolder(string folder)
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget is not null || paths.Count > Most)
                    return false;
                paths.Add(entry.FullName);
                if (entry is DirectoryInfo && !AddFolder(entry.FullName))
                    return false;
            }

            return true;
        }

        void AddStored()
        {
            var steps = new StepStore(project);
            var objects = new ContentStore(project.Objects);
            foreach (var stage in report.Stages)
            {
                paths.Add(steps.PathOf(stage.Key!.Value));
                foreach (var artifact in steps.Find(stage.Key.Value)!.Outputs.Values)
                {
                    paths.Add(objects.PathOf(artifact.Digest));
                    if (artifact.Kind == ArtifactKind.Folder)
                        paths.UnionWith(objects.ReadTree(artifact.Digest).Files.Select(file => objects.PathOf(file.Digest)));
                }
            }
        }
    }

    private static IEnumerable<string> Declared(StageSpec stage) =>
        stage.Inputs.Where(input => input.Kind == InputKind.Path).Select(input => input.Name).Concat(stage.Sql is null ? [] : [stage.Sql]);
}
