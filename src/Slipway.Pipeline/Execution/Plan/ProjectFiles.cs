using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>The user's own files that a spec names by path: which they are, and their digests.</summary>
/// <param name="root">The project's root, absolute.</param>
internal sealed class ProjectFiles(string root, DigestIndex index)
{
    /// <summary>What tools leave beside code and no program reads on purpose.</summary>
    private static readonly string[] ignored = ["__pycache__", ".ipynb_checkpoints", ".git", ".slipway", ".DS_Store"];

    internal static bool IsIgnored(string name) => ignored.Contains(name);

    /// <summary>A file, a folder or a glob by content; links to files are followed. Of a folder no list of files is held.</summary>
    /// <exception cref="SlipwayException">Nothing is there, a glob matches nothing, or it is no file (exit 2).</exception>
    public Artifact Resolve(StageInput input)
    {
        try
        {
            return Resolve(input.Name);
        }
        catch (SlipwayException e) when (input.At.File is not null)
        {
            throw new SlipwayException(e.Exit, [.. e.Faults.Select(fault => fault.File is null ? input.At.Fault(fault.Code, fault.Message, fault.Help) : fault)], e);
        }
    }

    /// <summary>Looks for every file that a run of the plan reads, before anything is run.</summary>
    /// <param name="model">The served model, whose code is sealed at the end; null when the run ends before that.</param>
    /// <exception cref="SlipwayException">All that are missing, at once (exit 2).</exception>
    internal void Require(ExecutionPlan plan, ModelSpec? model)
    {
        var inputs = plan.Stages.Select(planned => planned.Stage)
            .SelectMany(stage => stage.Sql is { } sql ? stage.Inputs.Add(new StageInput(InputKind.Path, sql) { At = stage.At }) : stage.Inputs)
            .Concat(model?.Runtime.Inputs ?? []);
        var faults = new List<Fault>();
        foreach (var input in inputs.Where(input => input.Kind == InputKind.Path))
        {
            try
            {
                Resolve(input);
                if (LeadsThroughLink(input.Name) && plan.Stages.FirstOrDefault(planned => planned.Stage.Outputs.Values.Any(output => IsSame(input.Name, output))) is { } writer)
                    faults.Add(input.At.Fault("hidden-dependency", $"the input '{input.Name}' leads, through a link, to what stage {writer.Stage.Name} writes", $"write the output of {writer.Stage.Name} in its place"));
            }
            catch (SlipwayException e)
            {
                faults.AddRange(e.Faults);
            }
        }

        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    private bool LeadsThroughLink(string name)
    {
        for (var at = name.TrimEnd('/'); at.Length > 0; at = Path.GetDirectoryName(at)!)
        {
            if (FileStamp.Of(Path.Combine(root, at), followLinks: false) is { Kind: FileKind.Link })
                return true;
        }

        return false;
    }

    private bool IsSame(string input, string output)
    {
        var (read, written) = (Path.Combine(root, input.TrimEnd('/')), Path.Combine(root, output.TrimEnd('/')));
        return FileStamp.IsWithin(read, written) || FileStamp.IsWithin(written, read);
    }

    /// <returns>Of a folder: the digest of its tree, paths relative to it. Of a glob: likewise, relative to the project.</returns>
    internal Artifact Resolve(string name)
    {
        var (kind, _, files) = Find(name);
        if (kind != ArtifactKind.Folder)
        {
            return ArtifactOf(files.Single());
        }

        using var sum = new FileTreeSum();
        foreach (var file in files)
            sum.Add(file);
        return sum.Count > 0 ? new Artifact(sum.Finish(), ArtifactKind.Folder, sum.Size) : throw Missing(name, "is a folder without files");
    }

    /// <summary>All files of an input, by path relative to the project's root, in byte order: looked at as they are asked for, each time again.</summary>
    /// <param name="expected">What the input is known to be; null for whatever is there.</param>
    /// <exception cref="SlipwayException">As <see cref="Resolve(StageInput)"/>; or, behind the last file, the input is not what was expected (exit 2).</exception>
    internal IEnumerable<FileTreeEntry> Files(string name, Artifact? expected = null)
    {
        var (kind, prefix, files) = Find(name);
        using var sum = new FileTreeSum();
        FileTreeEntry? last = null;
        foreach (var file in files)
        {
            sum.Add(file);
            last = file;
            yield return prefix.Length == 0 ? file : file with { Path = prefix + file.Path };
        }

        if (expected is not null && expected != (kind == ArtifactKind.Folder ? new Artifact(sum.Finish(), kind, sum.Size) : ArtifactOf(last!)))
            throw Changed(name);
    }

    private static Artifact ArtifactOf(FileTreeEntry file) => new(file.Digest, file.Executable ? ArtifactKind.Program : ArtifactKind.File, file.Size);

    /// <summary>What faults call an input that is not what it was when the run began.</summary>
    internal static SlipwayException Changed(string path) =>
        new(ExitCode.UnusableInput, new Fault("input-changed", $"{path} changed while the run was reading it", Help: "run again; finished stages are kept"));

    /// <summary>Whether an input is one file or many, and these, relative to the prefix.</summary>
    private (ArtifactKind Kind, string Prefix, IEnumerable<FileTreeEntry> Files) Find(string name)
    {
        var path = name.TrimEnd('/');
        if (Glob.IsPattern(name))
        {
            var files = GlobFiles.Match(root, path).Where(file => !file.Split('/').Any(IsIgnored)).ToList();
            files.Sort(Utf8Order.Comparer);
            return files.Count == 0 ? throw Missing(name, "matches no file") : (ArtifactKind.Folder, "", files.Select(Entry));
        }

        return FileStamp.Of(Path.Combine(root, path)) switch
        {
            null => throw Missing(name, "is not there"),
            { Kind: FileKind.Folder } => (ArtifactKind.Folder, path + "/", FileTree.Walk(Path.Combine(root, path), index.Of, name, followLinks: true, IsIgnored)),
            { Kind: FileKind.File } => (ArtifactKind.File, "", [Entry(path)]),
            { Kind: var kind } => throw Missing(name, $"is a {kind.ToString().ToLowerInvariant()}, neither file nor folder"),
        };
    }

    /// <summary>The file's digest now, from its stamp when that is unchanged.</summary>
    internal Digest DigestOf(string absolutePath) => index.Of(absolutePath);

    private FileTreeEntry Entry(string path)
    {
        var absolute = Path.Combine(root, path);
        var digest = index.Of(absolute);
        var stamp = FileStamp.Of(absolute) ?? throw Missing(path, "went away while it was read");
        return new FileTreeEntry(path, stamp.Executable, stamp.Size, digest);
    }

    private static SlipwayException Missing(string name, string what) =>
        new(ExitCode.UnusableInput, new Fault("missing-input", $"the input '{name}' {what}"));
}
