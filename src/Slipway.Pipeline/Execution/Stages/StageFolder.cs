using System.Collections.Immutable;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.Sandbox;
using Slipway.Store.Content;
using static System.IO.Path;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>The private folder of one execution: what looks like the project's root, with nothing in it but what was declared.</summary>
/// <remarks>
/// Inputs are copies, so that nothing a stage does to them reaches the user's files or the store. Only files above
/// <see cref="DefaultLinkAbove"/> are links, or read-only mounts where a sandbox has those; they are checked again after the command.
/// </remarks>
internal sealed class StageFolder : IDisposable
{
    private const string ProjectName = "project", InputsName = "inputs", HomeName = "home", TemporaryName = "tmp", StageName = "stage.json", RequestName = "request.json";

    /// <summary>Where an enclosed command finds its private folder: the same on every machine, as paths end up in what programs write.</summary>
    private const string Inside = "/slipway";

    /// <summary>Inputs beside outputs that are mounted read-only by themselves; a mount costs some 0.1 ms. Further ones stay private copies.</summary>
    private const int MostSingleMounts = 100;

    /// <summary>Files and folders, and their bytes, that may stay until the run ends: ten thousand such stages hold some two gigabytes at most.</summary>
    private const int MostLeftEntries = 40, MostLeftBytes = 64 << 10;

    /// <summary>Bytes above which a file is linked rather than copied; below it a copy takes a fraction of a second.</summary>
    public const long DefaultLinkAbove = 256L << 20;

    /// <summary>Who a command is, in files below /etc: the same everywhere, and nothing of this host's users.</summary>
    public static IReadOnlyList<(string Name, string Text)> Settings { get; } =
    [
        ("group", "root:x:0:\nslipway:x:1000:\n"),
        ("passwd", $"root:x:0:0::{Inside}/{HomeName}:/bin/sh\nslipway:x:1000:1000::{Inside}/{HomeName}:/bin/sh\n"),
    ];

    // Fixed, since archives and reports that a stage makes may carry its inputs' times.
    private static readonly DateTime inputsTime = DateTime.UnixEpoch.AddSeconds(315_532_800);

    private static readonly EnumerationOptions withoutLinks = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly long linkAbove;
    private readonly bool isEnclosed;
    private readonly StageSpec stage;
    private readonly IReadOnlyList<string> writable;
    private readonly PathSet placed = new();
    private readonly List<(PlacedFile File, FileStamp? Before)> linked = [];
    private readonly List<string> guarded = [];
    private bool isLeft;

    private StageFolder(string folder, StageSpec stage, long linkAbove, bool isEnclosed)
    {
        (Path, this.stage, this.linkAbove, this.isEnclosed) = (folder, stage, linkAbove, isEnclosed);
        writable = WritableFolders(stage);
    }

    /// <summary>Absolute, on the host.</summary>
    public string Path { get; }

    /// <summary>What looks like the project's root, on the host.</summary>
    public string Root => On(ProjectName);

    /// <summary>Where the command's places are as it sees them.</summary>
    public StagePlaces Seen => isEnclosed
        ? new StagePlaces(Inside + "/" + ProjectName, Inside + "/" + InputsName, Inside + "/" + HomeName, "/" + TemporaryName, Inside + "/" + StageName, Inside + "/" + RequestName)
        : new StagePlaces(Root, On(InputsName), On(HomeName), On(TemporaryName), On(StageName), On(RequestName));

    /// <summary>Whether an input is at a path, relative to the working directory.</summary>
    public bool Holds(string path) => placed.Contains(path);

    /// <param name="folder">Absolute; made new.</param>
    /// <param name="files">Enumerated once, and not held: a stage may take in any number of them.</param>
    /// <exception cref="SlipwayException">No space, no permission (exit 3); an input that changes meanwhile (exit 2).</exception>
    public static StageFolder Make(string folder, StageSpec stage, StageInputs inputs, IEnumerable<PlacedFile> files, StageDocument document, ProjectFiles project, long linkAbove, bool isEnclosed)
    {
        var made = new StageFolder(folder, stage, linkAbove, isEnclosed);
        try
        {
            foreach (var each in new[] { made.Root, made.On(InputsName), made.On(HomeName), made.On(TemporaryName) })
                AtomicFile.CreateFolder(each);
            foreach (var file in files)
                made.Place(file, project);
            foreach (var path in stage.Outputs.Values)
                AtomicFile.CreateFolder(path.EndsWith('/') ? Combine(made.Root, path) : GetDirectoryName(Combine(made.Root, path))!);
            foreach (var input in inputs.ByName.Values.Where(input => input.From == InputKind.Dataset))
            {
                var link = Combine(made.On(InputsName), input.Name);
                if (!Exists(link))
                    File.CreateSymbolicLink(link, Combine("..", ProjectName, input.Path));
            }

            made.SettleFolders();
            AtomicFile.WriteNew(made.On(StageName), CanonicalJson.Serialize(document, StepJson.Default.StageDocument));
            return made;
        }
        catch (Exception e)
        {
            made.Dispose();
            if (AtomicFile.Explain(e, folder) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>The request of an SQL stage, on the host.</summary>
    public string RequestFile => On(RequestName);

    /// <summary>What an enclosed command sees of this folder: inputs read-only, and for writing the folders of its outputs, its home and its temporary folder.</summary>
    public IEnumerable<Mount> Mounts()
    {
        yield return new Mount(MountKind.ReadWrite, On(TemporaryName), "/" + TemporaryName);
        yield return new Mount(MountKind.Link, "../" + TemporaryName, "/var/tmp");
        yield return new Mount(MountKind.ReadOnly, Path, Inside);
        yield return new Mount(MountKind.ReadWrite, On(HomeName), $"{Inside}/{HomeName}");
        foreach (var folder in writable)
            yield return new Mount(MountKind.ReadWrite, Combine(Root, folder), Combine(Seen.Root, folder));
        foreach (var path in guarded)
            yield return new Mount(MountKind.ReadOnly, Combine(Root, path), Combine(Seen.Root, path));
        foreach (var (file, _) in linked)
            yield return new Mount(MountKind.ReadOnly, file.Source, Combine(Seen.Root, file.Path));
    }

    /// <summary>Refuses to go on when a file that the stage read through a link is no longer what its key says.</summary>
    /// <param name="stored">Its inputs that are in the store.</param>
    public void CheckLinked(ProjectFiles project, ContentStore objects, IEnumerable<PlacedFile> stored)
    {
        // Over hours somebody may give a file a further name, or another owner, which changes no byte of it.
        foreach (var (file, before) in linked)
            Check(file, project, file.FromStore || (FileStamp.Of(file.Source) is { } now && before is { } was && now with { Changed = was.Changed } == was));
        var damaged = stored.FirstOrDefault(file => !objects.IsSound(file.Digest, file.Size));
        if (damaged.Path is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("damaged-object", $"the stored content of {damaged.Path} was changed while the stage ran", Help: "run again: the stage that made it will be repeated"));
    }

    /// <summary>Leaves a small folder to be deleted with the run's.</summary>
    /// <remarks>ext4 gives out no inode that was freed in the last minutes, and looks at each of them whenever it makes a file: deleting after each of a thousand stages makes every next one slower.</remarks>
    public void LeaveIfSmall() => isLeft = FolderSize.IsWithin(Path, MostLeftBytes, MostLeftEntries);

    /// <summary>Deletes the folder; what somebody is still writing into stays for the next run to delete.</summary>
    public void Dispose()
    {
        if (!isLeft)
            Delete(Path);
    }

    /// <summary>Deletes the folder of a run, with those of its stages that were left in it, several at a time.</summary>
    public static void DeleteAll(string run)
    {
        if (Directory.Exists(run))
            Parallel.ForEach(Directory.EnumerateDirectories(run), Delete);
        Delete(run);
    }

    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The last is of a path so long that the framework cut it to nothing.
            if (Directory.Exists(folder))
                DeleteStubborn(folder);
        }
    }

    // Folders without permissions, and names that are not UTF-8, which the framework cannot utter.
    private static void DeleteStubborn(string folder)
    {
        using var remove = System.Diagnostics.Process.Start("/bin/sh", ["-c", "{ chmod -R u+rwX -- \"$1\"; rm -rf -- \"$1\"; } 2>/dev/null", "sh", folder]);
        remove.WaitForExit();
    }

    /// <summary>Folders get the time that inputs have, and the permissions that folders commonly have: archives that a stage makes may carry both.</summary>
    private void SettleFolders()
    {
        foreach (var each in Directory.EnumerateDirectories(Path, "*", withoutLinks))
        {
            if (File.GetUnixFileMode(each) != FilePermissions.Program)
                File.SetUnixFileMode(each, FilePermissions.Program);
            Directory.SetLastWriteTimeUtc(each, inputsTime);
        }
    }

    private void Place(PlacedFile file, ProjectFiles project)
    {
        if (!placed.Add(file.Path))
            return;
        var before = file.FromStore ? null : FileStamp.Of(file.Source);
        if (guarded.Count < MostSingleMounts && Guarded(file.Path) is { } guard && !guarded.Contains(guard))
            guarded.Add(guard);
        var target = Combine(Root, file.Path);
        AtomicFile.CreateFolder(GetDirectoryName(target)!);
        if (file.Size > linkAbove)
        {
            if (isEnclosed)
                AtomicFile.WriteNew(target, []);     // what the file itself is mounted over
            else
                File.CreateSymbolicLink(target, file.Source);
            linked.Add((file, before));
        }
        else
        {
            AtomicFile.Copy(file.Source, target);
            File.SetUnixFileMode(target, file.Executable ? FilePermissions.Program : FilePermissions.Plain);
            File.SetLastWriteTimeUtc(target, inputsTime);
        }

        Check(file, project, file.FromStore || FileStamp.Of(file.Source) == before);
    }

    /// <summary>That a user's file still is what it is placed as, now that it was copied or read.</summary>
    /// <param name="isUntouched">Whether its stamp is as it was: what is the same again may have been something else meanwhile.</param>
    private static void Check(PlacedFile file, ProjectFiles project, bool isUntouched)
    {
        if (!file.FromStore && (!isUntouched || project.DigestOf(file.Source) != file.Digest))
            throw ProjectFiles.Changed(file.Path);
    }

    /// <summary>The folders that outputs are in, relative to the project; none inside another. Empty is the project itself.</summary>
    private static List<string> WritableFolders(StageSpec stage)
    {
        var all = stage.Outputs.Values.Select(path => GetDirectoryName(path.TrimEnd('/'))!).Distinct().Order(StringComparer.Ordinal).ToList();
        return [.. all.Where(folder => !all.Any(other => other != folder && IsBelow(folder, other)))];
    }

    /// <summary>What to mount read-only, so that an input inside a writable folder is: the topmost folder on its way that no output is in, or the file.</summary>
    /// <returns>Null for an input that is in no writable folder.</returns>
    private string? Guarded(string path)
    {
        if (writable.FirstOrDefault(folder => IsBelow(path, folder)) is not { } above)
            return null;
        for (var slash = path.IndexOf('/', above.Length == 0 ? 0 : above.Length + 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            var folder = path[..slash];
            if (!stage.Outputs.Values.Any(output => IsBelow(output, folder)))
                return folder;
        }

        return path;
    }

    private static bool IsBelow(string path, string folder) => folder.Length == 0 || path.StartsWith(folder + "/", StringComparison.Ordinal);

    private string On(string name) => Combine(Path, name);
}

/// <summary>Where a command finds what is its own, as it sees it.</summary>
/// <param name="Root">The working directory.</param>
internal sealed record StagePlaces(string Root, string Inputs, string Home, string Temporary, string StageFile, string RequestFile);
