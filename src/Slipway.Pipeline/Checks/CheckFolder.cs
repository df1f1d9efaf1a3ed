using Slipway.Documents.Runs;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Checks;

/// <summary>The places of a check: a project of its own below the project's state, in which stages run on samples.</summary>
/// <remarks>
/// Its tree holds links to the project's files and to samples at the datasets' paths, so that a stage's declarations mean there what they mean in the project; its state is
/// a cache of steps and objects apart from the project's, and outputs are checked out into its tree. Nothing of a real run is touched.
/// </remarks>
public sealed class CheckFolder(ProjectFolder project)
{
    /// <summary>The project that stages run in; its spec is the real one's.</summary>
    public ProjectFolder Project { get; } = new(Path.Combine(project.State, "check", "project"), project.SpecFile);

    /// <summary>Root of the project that is checked.</summary>
    internal string Outer { get; } = project.Root;

    /// <summary>Samples by what they depend on.</summary>
    public string Samples { get; } = Path.Combine(project.State, "check", "samples");

    /// <summary>Makes the tree hold these links, the stages' outputs, and nothing else.</summary>
    /// <param name="links">Absolute path of the target by path in the tree.</param>
    /// <param name="outputs">Declared paths, which are left as they are.</param>
    /// <exception cref="Primitives.Faults.SlipwayException">No space, no permission (exit 3).</exception>
    internal void Fill(IReadOnlyDictionary<string, string> links, IEnumerable<string> outputs)
    {
        var kept = outputs.Select(path => path.TrimEnd('/')).ToHashSet(StringComparer.Ordinal);
        try
        {
            AtomicFile.CreateFolder(Project.Root);
            Clean(Project.Root, "", links, kept);
            foreach (var (path, target) in links)
            {
                var link = Path.Combine(Project.Root, path);
                if (new FileInfo(link).LinkTarget is not null)
                    continue;
                AtomicFile.CreateFolder(Path.GetDirectoryName(link)!);
                File.CreateSymbolicLink(link, target);
            }
        }
        catch (Exception e) when (AtomicFile.Explain(e, Project.Root) is { } explained)
        {
            throw explained;
        }
    }

    private void Clean(string folder, string prefix, IReadOnlyDictionary<string, string> links, HashSet<string> kept)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().ToList())
        {
            var path = prefix + entry.Name;
            if (entry.FullName == Project.State || (kept.Contains(path) && entry.LinkTarget is null))
                continue;
            if (entry is DirectoryInfo { LinkTarget: null } below)
            {
                Clean(below.FullName, path + "/", links, kept);
                if (!below.EnumerateFileSystemInfos().Any())
                    below.Delete();
            }
            else if (entry.LinkTarget is not { } target || links.GetValueOrDefault(path) != target)
            {
                entry.Delete();
            }
        }
    }
}
