using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Checks what a stage left in its private folder against its declaration, and takes the outputs into the store.</summary>
internal static class StageOutputs
{
    /// <summary>Undeclared files that are named; further ones are counted.</summary>
    private const int MaximumNamed = 5;

    private static readonly EnumerationOptions repositories = new() { RecurseSubdirectories = true, MatchCasing = MatchCasing.CaseInsensitive, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    /// <exception cref="SlipwayException">All faults at once: missing, empty, undeclared, of the wrong kind; a secret in one; one that cannot be read (exit 2).</exception>
    public static void Require(StageSpec stage, StageFolder folder, SecretScan secrets) => Walking(stage, folder, () =>
    {
        var faults = stage.Outputs.Select(output => FaultOf(stage, output.Key, output.Value, folder.Root)).OfType<Fault>().ToList();
        if (Undeclared(stage, folder) is { } undeclared)
            faults.Add(undeclared);
        if (faults.Count == 0)
            faults.AddRange(stage.Outputs.Values.Where(path => path.EndsWith('/')).Select(path => Repository(stage, folder.Root, path)).OfType<Fault>());
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
        secrets.Require(stage, folder.Root);
        return true;
    });

    /// <summary>Durable and visible when this returns.</summary>
    /// <exception cref="SlipwayException">No space (exit 3); a folder without content, or with what is neither file nor folder, or cannot be read (exit 2).</exception>
    public static ImmutableSortedDictionary<string, Artifact> Store(StageSpec stage, StageFolder folder, ContentStore objects) => Walking(stage, folder, () =>
    {
        var artifacts = ImmutableSortedDictionary.CreateBuilder<string, Artifact>(StringComparer.Ordinal);
        using var batch = objects.Begin();
        foreach (var (name, path) in stage.Outputs)
            artifacts[name] = Store(stage, name, path, Path.Combine(folder.Root, path), batch);
        batch.Commit();
        return artifacts.ToImmutable();
    });

    private static T Walking<T>(StageSpec stage, StageFolder folder, Func<T> walk)
    {
        try
        {
            return walk();
        }
        catch (PathTooLongException e)
        {
            // Who changes folders as it goes can make what nobody can name.
            throw new SlipwayException(ExitCode.UnusableInput, [stage.At.Fault("path-too-long", $"stage {stage.Name} wrote a file whose path is longer than 4,095 bytes", "let it nest fewer folders, or give them shorter names")], e);
        }
        catch (UnauthorizedAccessException e)
        {
            var what = e.Message.Replace(folder.Root + "/", "", StringComparison.Ordinal);
            throw new SlipwayException(ExitCode.UnusableInput, [stage.At.Fault("unreadable-output", $"stage {stage.Name} wrote what may not be read by this user: {what}", "let the command leave it readable")], e);
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput && e.Faults.Any(fault => fault.File is null))
        {
            throw new SlipwayException(e.Exit, [.. e.Faults.Select(fault => fault.File is null ? stage.At.Fault(fault.Code, $"stage {stage.Name}: {fault.Message}", fault.Help) : fault)], e);
        }
    }

    private static Artifact Store(StageSpec stage, string name, string path, string absolute, ContentBatch batch)
    {
        if (path.EndsWith('/'))
        {
            var (digest, bytes) = batch.AddFolder(absolute, path);
            return bytes > 0 ? new Artifact(digest, ArtifactKind.Folder, bytes) : throw new SlipwayException(ExitCode.UnusableInput, Empty(stage, name, path));
        }

        var kind = FileStamp.Of(absolute) is { Executable: true } ? ArtifactKind.Program : ArtifactKind.File;
        var (content, size) = batch.AddFile(absolute, path);
        return new Artifact(content, kind, size);
    }

    private static Fault? FaultOf(StageSpec stage, string name, string path, string root)
    {
        // Every folder on the way must be one: through a link the stage could name any file of the host as its output.
        var at = root;
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (var part in parts[..^1])
        {
            at = Path.Combine(at, part);
            if (FileStamp.Of(at, followLinks: false) is { Kind: not FileKind.Folder })
                return stage.At.Fault("link", $"stage {stage.Name}: the folder of output {name} ({path}) was replaced by something else", "write into the folder that is there");
        }

        return (FileStamp.Of(Path.Combine(at, parts[^1]), followLinks: false), path.EndsWith('/')) switch
        {
            (null, _) => stage.At.Fault("missing-output", $"stage {stage.Name} ended well but wrote no {path}, its output {name}", $"let the command write it, or take {name} out of out:"),
            ({ Kind: FileKind.Link }, _) => stage.At.Fault("link", $"stage {stage.Name}: its output {name} ({path}) is a symbolic link; an output has content of its own", "write the file itself instead of a link to it"),
            ({ Kind: FileKind.File, Size: 0 }, false) => Empty(stage, name, path),
            ({ Kind: FileKind.File }, false) or ({ Kind: FileKind.Folder }, true) => null,
            ({ Kind: FileKind.File }, true) => stage.At.Fault("wrong-output", $"stage {stage.Name}: its output {name} is declared as the folder {path}, found a file", $"declare it as {path.TrimEnd('/')}"),
            ({ Kind: FileKind.Folder }, false) => stage.At.Fault("wrong-output", $"stage {stage.Name}: its output {name} is declared as the file {path}, found a folder", $"declare it as {path}/"),
            ({ Kind: var kind }, _) => stage.At.Fault("wrong-output", $"stage {stage.Name}: its output {name} ({path}) is a {kind.ToString().ToLowerInvariant()}"),
        };
    }

    private static Fault Empty(StageSpec stage, string name, string path) =>
        stage.At.Fault("empty-output", $"stage {stage.Name} ended well but its output {name} ({path}) is empty", "let the command write it, or fail when it has nothing to write");

    private static Fault? Undeclared(StageSpec stage, StageFolder folder)
    {
        var files = stage.Outputs.Values.Where(path => !path.EndsWith('/')).ToHashSet(StringComparer.Ordinal);
        var folders = stage.Outputs.Values.Where(path => path.EndsWith('/')).ToList();
        var undeclared = Entries(new DirectoryInfo(folder.Root))
            .Select(path => Path.GetRelativePath(folder.Root, path))
            .Where(path => !files.Contains(path) && !folder.Holds(path) && !folders.Any(output => path.StartsWith(output, StringComparison.Ordinal)));
        var first = new SortedSet<string>(StringComparer.Ordinal);
        var count = 0L;
        foreach (var path in undeclared)
        {
            count++;
            first.Add(path);
            if (first.Count > MaximumNamed)
                first.Remove(first.Max!);
        }

        if (count == 0)
            return null;
        var more = count > MaximumNamed ? $" and {count - MaximumNamed} more" : "";
        return stage.At.Fault(
            "undeclared-output",
            $"stage {stage.Name} wrote {string.Join(", ", first)}{more}, which it does not declare",
            "add it to out:, or write it under $TMPDIR");
    }

    /// <summary>Git does what the settings of a repository say, for whoever looks at it: a stage must not bring one into the user's tree.</summary>
    private static Fault? Repository(StageSpec stage, string root, string path) =>
        Directory.EnumerateFileSystemEntries(Path.Combine(root, path), ".git", repositories).FirstOrDefault() is { } found
            ? stage.At.Fault("git-output", $"stage {stage.Name} wrote {Path.GetRelativePath(root, found)}, which git would take for a repository's settings", "let it delete that, or write it elsewhere and keep the files alone")
            : null;

    private static IEnumerable<string> Entries(DirectoryInfo folder)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos().Where(entry => !ProjectFiles.IsIgnored(entry.Name)))
        {
            if (entry is DirectoryInfo { LinkTarget: null } below)
            {
                foreach (var path in Entries(below))
                    yield return path;
            }
            else
            {
                yield return entry.FullName;
            }
        }
    }
}
