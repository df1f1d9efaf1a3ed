using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;
using Slipway.Runtime.Environments;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline;

/// <summary>All files and folders that a status, or a run in which every stage was known, hangs on: while none of their stamps changes, neither does what it says.</summary>
public sealed class Footprint
{
    /// <summary>Paths; a look at one costs some 2 µs.</summary>
    private const int Most = 100_000;

    private readonly HashSet<string> paths = new(StringComparer.Ordinal);
    private readonly ProjectFolder project;
    private bool isKnown = true;

    private Footprint(ProjectFolder project) => this.project = project;

    /// <returns>Absolute paths; null when not everything is known, they cannot be listed or are too many, and the status is to be found out anew each time.</returns>
    public static ImmutableArray<string>? OfStatus(Spec spec, ProjectFolder project, ResolvedInputs inputs, StatusReport report) =>
        report.Stages.All(stage => stage.State == StageState.Cached) ? Stages(spec, project, inputs, report.Stages.Select(stage => stage.Key!.Value)).Listed : null;

    /// <param name="ended">What the run came to.</param>
    /// <param name="seal">What the known seal rests on, absolute.</param>
    /// <returns>As <see cref="OfStatus"/>, with what a run puts into the project and looks at beside.</returns>
    internal static ImmutableArray<string>? OfRun(Spec spec, ProjectFolder project, ResolvedInputs inputs, ImmutableArray<StageResult> ended, IEnumerable<string> seal)
    {
        if (ended.Length != spec.Stages.Length || ended.Any(stage => stage.Source != StageSource.Cached))
            return null;
        var footprint = Stages(spec, project, inputs, ended.Select(stage => stage.Key));
        footprint.paths.UnionWith(seal);
        foreach (var expected in spec.Data.Values.Select(dataset => dataset.Expect).OfType<string>())
            footprint.paths.Add(Path.Combine(project.Root, expected));
        foreach (var output in spec.Stages.SelectMany(stage => stage.Outputs.Values))
            footprint.Add(output, isOutput: true);
        foreach (var input in spec.Model?.Runtime.Inputs ?? [])
            footprint.Add(input.Name);
        return footprint.Listed;
    }

    private ImmutableArray<string>? Listed => isKnown && paths.Count <= Most ? [.. paths.Order(StringComparer.Ordinal)] : null;

    private static Footprint Stages(Spec spec, ProjectFolder project, ResolvedInputs inputs, IEnumerable<Digest> steps)
    {
        var footprint = new Footprint(project);
        footprint.paths.Add(project.LockFile);
        footprint.paths.Add(HostEnvironment.DebianStatus);
        foreach (var source in spec.Sources)
            footprint.paths.Add(Path.Combine(project.Root, source));
        if (spec.Evaluate?.Baseline is { } baseline)
            footprint.paths.Add(Path.Combine(BundleReference.Parse(baseline).Folder ?? project.Bundles, "index.json"));
        foreach (var declared in spec.Data.Values.Select(dataset => dataset.Path).Concat(spec.Stages.SelectMany(Declared)))
            footprint.Add(declared);
        footprint.paths.UnionWith(inputs.Data.Values.SelectMany(taken => taken.Files));
        footprint.AddStored(steps);
        return footprint;
    }

    /// <param name="isOutput">Inputs are without what tools leave beside code.</param>
    private void Add(string declared, bool isOutput = false)
    {
        var path = Path.Combine(project.Root, declared);
        while (Glob.IsPattern(path))
            path = Path.GetDirectoryName(path)!;
        paths.Add(path.TrimEnd('/'));
        if (FileStamp.Of(path) is { Kind: FileKind.Folder })
            AddFolder(path, isOutput ? _ => false : ProjectFiles.IsIgnored);
    }

    /// <summary>A folder's own stamp tells of names that came and went; links could lead anywhere, so they are not followed.</summary>
    private void AddFolder(string folder, Func<string, bool> isIgnored)
    {
        try
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().Where(entry => !isIgnored(entry.Name)))
            {
                isKnown &= entry.LinkTarget is null && paths.Count <= Most;
                if (!isKnown)
                    return;
                paths.Add(entry.FullName);
                if (entry is DirectoryInfo)
                    AddFolder(entry.FullName, isIgnored);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            isKnown = false;
        }
    }

    private void AddStored(IEnumerable<Digest> keys)
    {
        var steps = new StepStore(project);
        var objects = new ContentStore(project.Objects);
        foreach (var key in keys)
        {
            paths.Add(steps.PathOf(key));
            foreach (var artifact in steps.Find(key)!.Outputs.Values)
            {
                paths.Add(objects.PathOf(artifact.Digest));
                if (artifact.Kind == ArtifactKind.Folder)
                    paths.UnionWith(objects.ReadTree(artifact.Digest).Files.Select(file => objects.PathOf(file.Digest)));
            }
        }
    }

    private static IEnumerable<string> Declared(StageSpec stage) =>
        stage.Inputs.Where(input => input.Kind == InputKind.Path).Select(input => input.Name).Concat(stage.Sql is null ? [] : [stage.Sql]);
}
