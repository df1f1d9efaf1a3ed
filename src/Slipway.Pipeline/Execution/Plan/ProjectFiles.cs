using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
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

    /// <summary>A file, a folder or a glob by content; links to files are followed.</summary>
    /// <exception cref="SlipwayException">Nothing is there, a glob matches nothing, or it is no file (exit 2).</exception>
    public PathInput Resolve(StageInput input)
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
            }
            catch (SlipwayException e)
            {
                faults.AddRange(e.Faults);
            }
        }

        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    internal PathInput Resolve(string name)
    {
        var path = name.TrimEnd('/');
        if (Glob.IsPattern(name))
        {
            var files = GlobFiles.Match(root, path).Where(file => !file.Split('/').Any(IsIgnored)).Select(Entry).ToList();
            return files.Count == 0 ? throw Missing(name, "matches no file") : Of(name, FileTree.Of(files), "");
        }

        switch (FileStamp.Of(Path.Combine(root, path)))
        {
            case null:
                throw Missing(name, "is not there");
            case { Kind: FileKind.Folder }:
                var tree = FileTree.Scan(Path.Combine(root, path), index.Of, name, followLinks: true, IsIgnored);
                return tree.Files.IsEmpty ? throw Missing(name, "is a folder without files") : Of(name, tree, path + "/");
            case { Kind: FileKind.File }:
                var file = Entry(path);
                return new PathInput(name, new Artifact(file.Digest, file.Executable ? ArtifactKind.Program : ArtifactKind.File, file.Size), [file]);
            case { Kind: var kind }:
                throw Missing(name, $"is a {kind.ToString().ToLowerInvariant()}, neither file nor folder");
        }
    }

    /// <summary>The file's digest now, from its stamp when that is unchanged.</summary>
    internal Primitives.Bytes.Digest DigestOf(string absolutePath) => index.Of(absolutePath);

    private FileTreeEntry Entry(string path)
    {
        var absolute = Path.Combine(root, path);
        var digest = index.Of(absolute);
        var stamp = FileStamp.Of(absolute) ?? throw Missing(path, "went away while it was read");
        return new FileTreeEntry(path, stamp.Executable, stamp.Size, digest);
    }

    private static PathInput Of(string name, FileTree tree, string prefix) => new(
        name,
        new Artifact(tree.Digest, ArtifactKind.Folder, tree.Size),
        [.. tree.Files.Select(file => file with { Path = prefix + file.Path })]);

    private static SlipwayException Missing(string name, string what) =>
        new(ExitCode.UnusableInput, new Fault("missing-input", $"the input '{name}' {what}"));
}

/// <summary>An input that the spec names by path.</summary>
/// <param name="Name">As written.</param>
/// <param name="Artifact">Of a folder: the digest of its tree, paths relative to it. Of a glob: likewise, relative to the project.</param>
/// <param name="Files">All files, by path relative to the project's root.</param>
internal sealed record PathInput(string Name, Artifact Artifact, ImmutableArray<FileTreeEntry> Files);
