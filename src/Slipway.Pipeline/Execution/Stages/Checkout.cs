using System.Text.Json;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Copies of the outputs at their declared paths in the user's tree. For people: no stage ever reads them from there.</summary>
/// <remarks>
/// The declared paths are Slipway's: an edited copy is replaced. But what was there before Slipway first wrote to a path is the
/// user's own, and is never touched. Each path is noted before it is written to, so that a crash leaves nothing unclaimed.
/// </remarks>
internal sealed class Checkout(ProjectFolder project, ContentStore objects, ProjectFiles files, TimeProvider clock, Action<string> effect)
{
    private readonly Lock guard = new();
    private HashSet<string>? claimed;

    /// <summary>Refuses to run when a stage's output path holds something that Slipway did not put there.</summary>
    /// <exception cref="SlipwayException">All such paths (exit 2).</exception>
    public void CheckClaims(IEnumerable<StageSpec> stages)
    {
        var owned = Claimed();
        var blocked =
            from stage in stages
            from output in stage.Outputs
            let way = NoFolderOnTheWay(output.Value)
            where way is not null
            select At(stage, Blocked(output.Value, way));
        var foreign =
            from stage in stages
            from output in stage.Outputs
            where !owned.Contains(output.Value) && HasContent(Path.Combine(project.Root, output.Value))
            select At(stage, Foreign(output.Value));
        if (blocked.Concat(foreign).ToList() is { Count: > 0 } all)
            throw new SlipwayException(ExitCode.UnusableInput, all);
        foreach (var parent in stages.SelectMany(stage => stage.Outputs.Values).Select(path => Path.GetDirectoryName(Absolute(path))!).Distinct())
            AtomicFile.RemoveLeftovers(parent);
    }

    /// <summary>Puts an output at its path, unless it is there already.</summary>
    /// <param name="path">As declared: a folder ends in a slash.</param>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public void Put(string path, Artifact artifact)
    {
        var target = Absolute(path);
        if (Is(target, artifact))
            return;
        // A command takes time, in which somebody may have put something there.
        if (!IsClaimed(path) && HasContent(target))
            throw new SlipwayException(ExitCode.UnusableInput, Foreign(path));
        if (NoFolderOnTheWay(path) is { } way)
            throw new SlipwayException(ExitCode.UnusableInput, Blocked(path, way));
        Claim(path);
        effect($"claimed {path}");
        var fresh = AtomicFile.TemporaryBeside(target);
        try
        {
            AtomicFile.CreateFolder(Path.GetDirectoryName(target)!);
            Build(fresh, artifact);
            effect($"copied {path}");
            Swap(fresh, target);
            effect($"put {path}");
        }
        catch (Exception e) when (AtomicFile.Explain(e, target) is { } explained)
        {
            throw explained;
        }
        finally
        {
            Remove(fresh);
        }
    }

    private static Fault At(StageSpec stage, Fault fault) => stage.At.Fault(fault.Code, $"stage {stage.Name}: {fault.Message}", fault.Help);

    private static Fault Foreign(string path) =>
        new("foreign-output", $"its output {path} is to be written where something is that Slipway did not make", Help: $"move it away or delete it (rm -r {path}), or declare another path");

    private static Fault Blocked(string path, string way) =>
        new("foreign-output", $"its output {path} is to be written, and {way} is no folder of the project", Help: $"move {way} away, or declare another path");

    private string Absolute(string path) => Path.Combine(project.Root, path.TrimEnd('/'));

    private void Build(string fresh, Artifact artifact)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        if (artifact.Kind != ArtifactKind.Folder)
        {
            objects.CopyTo(artifact.Digest, fresh, artifact.Kind == ArtifactKind.Program, now);
            return;
        }

        AtomicFile.CreateFolder(fresh);
        foreach (var file in objects.ReadTree(artifact.Digest).Files)
        {
            var to = Path.Combine(fresh, file.Path);
            AtomicFile.CreateFolder(Path.GetDirectoryName(to)!);
            objects.CopyTo(file.Digest, to, file.Executable, now);
        }
    }

    // A file replaces a file in one step. A folder cannot replace one that holds something: the old one steps aside first.
    private void Swap(string fresh, string target)
    {
        if (FileStamp.Of(target, followLinks: false) is { } there && (there.Kind == FileKind.Folder || Directory.Exists(fresh)))
        {
            var old = AtomicFile.TemporaryBeside(target);
            AtomicFile.Rename(target, old);
            effect("set the old folder aside");
            AtomicFile.Rename(fresh, target);
            Remove(old);
            return;
        }

        AtomicFile.Rename(fresh, target);
    }

    private bool Is(string target, Artifact artifact)
    {
        if (FileStamp.Of(target, followLinks: false) is not { } stamp)
            return false;
        try
        {
            return (stamp.Kind, artifact.Kind) switch
            {
                (FileKind.File, ArtifactKind.File or ArtifactKind.Program) =>
                    stamp.Size == artifact.Size && stamp.Executable == (artifact.Kind == ArtifactKind.Program) && files.DigestOf(target) == artifact.Digest,
                (FileKind.Folder, ArtifactKind.Folder) => TreeOf(target) == artifact.Digest,
                _ => false,
            };
        }
        catch (SlipwayException)
        {
            return false;       // a link, a socket, an unreadable file: not what Slipway put there
        }
    }

    private Digest TreeOf(string folder)
    {
        using var sum = new FileTreeSum();
        foreach (var file in FileTree.Walk(folder, (file, _) => files.DigestOf(file), folder, followLinks: false))
            sum.Add(file);
        return sum.Finish();
    }

    /// <returns>What stands where a folder is to be made; null where nothing does. A link to a folder of the project is one.</returns>
    private string? NoFolderOnTheWay(string output)
    {
        for (var path = Path.GetDirectoryName(output.TrimEnd('/'))!; path.Length > 0; path = Path.GetDirectoryName(path)!)
        {
            if (FileStamp.Of(Absolute(path), followLinks: false) is not null)
                return FileStamp.Of(Absolute(path)) is { Kind: FileKind.Folder } && FileStamp.IsWithin(Absolute(path), project.Root) ? null : path;
        }

        return null;
    }

    private static bool HasContent(string path) => FileStamp.Of(path.TrimEnd('/'), followLinks: false) switch
    {
        null => false,
        { Kind: FileKind.Folder } => Directory.EnumerateFileSystemEntries(path).Any(),
        { Kind: FileKind.File, Size: 0 } => false,
        _ => true,
    };

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
            StageFolder.Delete(path);
        else
            File.Delete(path);
    }

    private bool IsClaimed(string path)
    {
        lock (guard)
            return Claimed().Contains(path);
    }

    private void Claim(string path)
    {
        lock (guard)
        {
            if (!Claimed().Contains(path))
                AtomicFile.AppendLine(project.Checkouts, CanonicalJson.Serialize(path, StepJson.Default.String));
            claimed!.Add(path);
        }
    }

    /// <summary>Paths that Slipway wrote to, or was about to: a JSON string a line. A line that a crash cut off was never acted on.</summary>
    private HashSet<string> Claimed() => claimed ??= File.Exists(project.Checkouts) ? [.. File.ReadLines(project.Checkouts).Select(Parse).OfType<string>()] : [];

    private static string? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, StepJson.Default.String);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
