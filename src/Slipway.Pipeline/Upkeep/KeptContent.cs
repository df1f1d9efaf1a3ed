using System.Text;
using System.Text.RegularExpressions;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Upkeep;

/// <summary>What of a project's state is needed: what tags, locks and the newest runs lead to.</summary>
/// <param name="Steps">Keys of the step records.</param>
/// <param name="Objects">What those steps gave, files of folders included.</param>
/// <param name="Manifests">Bundles, what is attached to them, and what an index under a tag lists.</param>
/// <param name="Aside">Every digest that stands in a damaged document which was set aside: what a manifest led to before its bytes were changed is not for a collection to judge.</param>
internal sealed partial record KeptContent(HashSet<Digest> Steps, HashSet<Digest> Objects, HashSet<Digest> Manifests, HashSet<Digest> Aside)
{
    /// <summary>Files and folders that are looked through for locks; data sets of more files lie elsewhere, or the wrong folder was named.</summary>
    private const int MostEntries = 2_000_000;

    /// <param name="keepRuns">The newest so many runs keep what they gave.</param>
    /// <exception cref="SlipwayException">A record or lock that cannot be read, so that nobody knows what it keeps (exit 2).</exception>
    public static KeptContent Of(ProjectFolder project, OciLayout? layout, int keepRuns)
    {
        var runs = RunRecord.Ids(project).Take(keepRuns).Select(id => RunRecord.Read(project, id)).OfType<RunRecord>().ToList();
        var store = new StepStore(project);
        var steps = runs.SelectMany(run => run.Stages).Select(stage => stage.Key).Concat(store.NewestKeys()).ToHashSet();
        var objects = new HashSet<Digest>();
        var content = new ContentStore(project.Objects);
        foreach (var artifact in steps.Select(store.Find).OfType<StepRecord>().SelectMany(record => record.Outputs.Values).Concat(runs.SelectMany(run => run.Stages).SelectMany(stage => stage.Outputs.Values)))
            Add(artifact, content, objects);
        var bundles = runs.Select(run => run.Bundle).Concat(Baselines(project)).OfType<Digest>().ToHashSet();
        return new KeptContent(steps, objects, layout is null ? [] : layout.LedTo(bundles), NamedAside(project));
    }

    private static HashSet<Digest> NamedAside(ProjectFolder project)
    {
        var folder = Path.Combine(project.State, StoreRepair.AsideFolder);
        var documents = Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles().Where(file => file.Length <= OciManifest.MaxBytes) : [];
        return [.. documents.SelectMany(file => Named().Matches(File.ReadAllText(file.FullName, Encoding.Latin1))).Select(match => Digest.Parse(match.Value))];
    }

    [GeneratedRegex("sha256:[0-9a-f]{64}", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Named();

    private static void Add(Artifact artifact, ContentStore content, HashSet<Digest> objects)
    {
        if (!objects.Add(artifact.Digest) || artifact.Kind != ArtifactKind.Folder || !content.Contains(artifact.Digest))
            return;
        try
        {
            objects.UnionWith(content.ReadTree(artifact.Digest).Files.Select(file => file.Digest));
        }
        catch (SlipwayException e) when (e.Faults[0].Code is "damaged-object" or "not-a-tree")
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("damaged-object", $"{artifact.Digest} lists a folder's files, and was changed: what it keeps is not known", content.PathOf(artifact.Digest), Help: "`slipway doctor` tells what it belongs to, and `slipway doctor --repair` sets it aside"), e);
        }
    }

    /// <summary>The baselines that locks anywhere in the project pin.</summary>
    private static IEnumerable<Digest?> Baselines(ProjectFolder project)
    {
        var looked = 0;
        var open = new Stack<DirectoryInfo>([new DirectoryInfo(project.Root)]);
        while (open.TryPop(out var folder))
        {
            foreach (var entry in Entries(folder))
            {
                if (++looked > MostEntries)
                    throw new SlipwayException(ExitCode.UnusableInput, new Fault("too-many-files", $"{project.Root} holds more than {MostEntries:N0} files, and any of them may be a lock that pins a baseline", project.Root, Help: "run it in a folder that holds the project alone"));
                if (entry is DirectoryInfo { LinkTarget: null } below && below.FullName != project.State && below.Name != ".git")
                    open.Push(below);
                else if (entry is FileInfo file && file.Extension == ".lock")
                    yield return Baseline(project, Path.GetRelativePath(project.Root, file.FullName));
            }
        }
    }

    private static IEnumerable<FileSystemInfo> Entries(DirectoryInfo folder)
    {
        try
        {
            return folder.GetFileSystemInfos();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", $"{folder.FullName} may not be read by this user, and may hold a lock that pins a baseline", folder.FullName, Help: "make the folder readable for this user"), e);
        }
    }

    /// <summary>Many tools write files of that name: one that is no lock of ours counts only where it lies beside a spec.</summary>
    private static Digest? Baseline(ProjectFolder project, string lockName)
    {
        var spec = new[] { ".yaml", ".yml" }.Select(extension => Path.ChangeExtension(lockName, extension)).FirstOrDefault(name => File.Exists(Path.Combine(project.Root, name)));
        try
        {
            return ProjectLockFile.Read(new ProjectFolder(project.Root, spec ?? Path.ChangeExtension(lockName, ".yaml")))?.Baseline;
        }
        catch (SlipwayException) when (spec is null)
        {
            return null;
        }
    }
}
