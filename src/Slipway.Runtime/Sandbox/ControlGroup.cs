using System.Diagnostics;
using System.Globalization;
using Slipway.Primitives.Processes;

namespace Slipway.Runtime.Sandbox;

/// <summary>A control group of its own for one command: the kernel holds all of its processes together to the limits.</summary>
/// <remarks>
/// Version 2 where it carries the controllers, version 1 otherwise (kernel documentation: admin-guide/cgroup-v2, cgroup-v1). The group is
/// made below the group of this process, or beside it where version 2 asks that groups with processes have no groups below.
/// </remarks>
public sealed class ControlGroup : IDisposable
{
    public const string MountPoint = "/sys/fs/cgroup";

    /// <summary>Where systemd rules the control groups: a run in one that is this user's.</summary>
    public const string Delegated = "systemd-run --user --scope slipway run";

    private const string Members = "cgroup.procs";

    /// <summary>Microseconds over which processor time is shared out.</summary>
    private const int Period = 100_000;

    /// <summary>How long members may take to die, and their folder to be let go, before they are left to the next run.</summary>
    private static readonly TimeSpan longestEnd = TimeSpan.FromSeconds(30), longestRemoval = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan lookAgain = TimeSpan.FromMilliseconds(2);

    private static readonly string[] always = ["memory", "pids"], withCpu = [.. always, "cpu"];

    private static readonly EnumerationOptions anywhere = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private readonly bool isUnified;
    private bool isEmpty;

    private ControlGroup(bool isUnified, IReadOnlyList<string> folders) => (this.isUnified, Folders) = (isUnified, folders);

    /// <summary>Whether systemd rules this host's control groups (man 3 sd_booted).</summary>
    public static bool IsSystemds => Directory.Exists("/run/systemd/system");

    /// <summary>The group's folders: one in version 2; in version 1 those of memory, pids and, where processors are limited, cpu.</summary>
    public IReadOnlyList<string> Folders { get; }

    /// <summary>Files that a process writes 0 into, to become a member with all that it will start.</summary>
    public IEnumerable<string> Joins => Folders.Select(folder => Path.Combine(folder, Members));

    /// <param name="name">Of the new group; no other's at this time.</param>
    /// <param name="root">Where control groups are mounted: <see cref="MountPoint"/>.</param>
    /// <param name="membership">What <c>/proc/self/cgroup</c> says.</param>
    /// <param name="why">When there is none: what stands in the way.</param>
    /// <returns>Null where this process may make none.</returns>
    public static ControlGroup? TryMake(string name, ResourceLimits limits, string root, string membership, out string why)
    {
        var own = Memberships(membership);
        var needed = limits.Cpus is null ? always : withCpu;
        var group = TryUnified(name, root, own, needed, out why) ?? TryLegacy(name, root, own, needed, ref why);
        if (group is null)
            return null;
        try
        {
            group.Limit(limits);
            return group;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            group.Dispose();
            why = $"its limits cannot be set: {e.Message}";
            return null;
        }
    }

    /// <summary>The limit that the kernel enforced since the group was made, on its members or on groups below it.</summary>
    public ExceededLimit Exceeded() =>
        Count(Folders[0], isUnified ? "memory.events" : "memory.oom_control", "oom_kill") > 0 ? ExceededLimit.Memory
        : Count(isUnified ? Folders[0] : Folders[1], "pids.events", "max") > 0 ? ExceededLimit.Processes
        : ExceededLimit.None;

    /// <summary>SIGKILL to every member, again until none is left: one that forks may be a step ahead.</summary>
    /// <remarks>First nobody may be born any more, and all get the time to die: a thousand that share half a processor would take minutes.</remarks>
    /// <returns>Whom it ended.</returns>
    public IReadOnlyCollection<int> Kill()
    {
        var ended = new HashSet<int>();
        var waited = Stopwatch.StartNew();
        // Once nobody is left, nobody is there to let others in.
        for (var isFirst = true; !isEmpty && waited.Elapsed < longestEnd; isFirst = false)
        {
            var read = Folders.Select(MembersOf).ToList();
            var members = read.SelectMany(each => each ?? []).ToHashSet();
            if (members.Count == 0)
            {
                isEmpty = !read.Contains(null);
                break;
            }

            if (isFirst)
                Release();
            foreach (var id in members)
                ChildProcess.Kill(id);
            ended.UnionWith(members);
            Thread.Sleep(lookAgain);
        }

        return ended;
    }

    private void Release()
    {
        foreach (var folder in Folders)
        {
            TryWrite(Path.Combine(folder, "pids.max"), "0");
            TryWrite(Path.Combine(folder, "cpu.max"), "max");
            TryWrite(Path.Combine(folder, "cpu.cfs_quota_us"), "-1");
        }
    }

    /// <summary>Removes a group's folders; one that still has a dying member stays for the next run.</summary>
    private static void Remove(IEnumerable<string> folders)
    {
        foreach (var folder in folders)
        {
            for (var waited = Stopwatch.StartNew(); waited.Elapsed < longestRemoval && Directory.Exists(folder);)
            {
                try
                {
                    Directory.Delete(folder);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    Thread.Sleep(lookAgain);        // its last member is a zombie yet
                }
            }
        }
    }

    public void Dispose() => Remove(Folders);

    /// <summary>Groups of commands whose run is over, wherever they are: the next run may be in another group than the one that was killed.</summary>
    /// <remarks>Those below others first: a container's are below its command's, and have the same name.</remarks>
    /// <param name="prefix">How their names begin; no pattern.</param>
    public static ControlGroup Left(string prefix, string root) =>
        new(isUnified: false, Directory.Exists(root) ? [.. Directory.EnumerateDirectories(root, prefix + "*", anywhere).OrderByDescending(folder => folder.Length)] : []);

    private static List<string[]> Memberships(string membership) => [.. membership.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3)];

    /// <summary>The group of this process, and the one above it.</summary>
    private static IEnumerable<string> Levels(string root, string path)
    {
        var folder = Path.Combine(root, path.Trim('/')).TrimEnd('/');
        return folder.Length > root.TrimEnd('/').Length ? [folder, Path.GetDirectoryName(folder)!] : [folder];
    }

    private static ControlGroup? TryUnified(string name, string root, List<string[]> own, string[] needed, out string why)
    {
        why = "no control groups are mounted at " + root;
        if (own.FirstOrDefault(parts => parts[0] == "0")?[2] is not { } path || !File.Exists(Path.Combine(root, "cgroup.controllers")))
            return null;
        foreach (var folder in Levels(root, path))
        {
            if (!HandsOn(folder, needed, out why))
                continue;
            var made = Path.Combine(folder, name);
            try
            {
                Directory.CreateDirectory(made);
                return new ControlGroup(isUnified: true, [made]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                why = e.Message;
            }
        }

        return null;
    }

    /// <summary>Whether groups below a folder get the controllers; asks for it where they do not yet.</summary>
    private static bool HandsOn(string folder, string[] needed, out string why)
    {
        why = $"{folder} does not hand on {string.Join(", ", needed)}";
        var file = Path.Combine(folder, "cgroup.subtree_control");
        try
        {
            var missing = needed.Except(File.ReadAllText(file).Split((char[])[' ', '\n'])).ToList();
            if (missing.Count > 0)
                File.WriteAllText(file, string.Join(' ', missing.Select(controller => "+" + controller)));
            return !needed.Except(File.ReadAllText(file).Split((char[])[' ', '\n'])).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            why = e.Message;
            return false;
        }
    }

    private static ControlGroup? TryLegacy(string name, string root, List<string[]> own, string[] needed, ref string why)
    {
        var made = new List<string>();
        foreach (var controller in needed)
        {
            // A folder of any other file system would take every limit and hold nobody.
            if (LegacyFolder(root, own, controller) is not { } above || !File.Exists(Path.Combine(above, Members)))
            {
                why = $"the controller {controller} is not mounted at {root}";
                Remove(made);
                return null;
            }

            var folder = Path.Combine(above, name);
            try
            {
                Directory.CreateDirectory(folder);
                made.Add(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                why = e.Message;
                Remove(made);
                return null;
            }
        }

        return new ControlGroup(isUnified: false, made);
    }

    /// <summary>This process's group of a controller; null where that is not mounted.</summary>
    private static string? LegacyFolder(string root, List<string[]> own, string controller)
    {
        if (own.FirstOrDefault(parts => parts[1].Split(',').Contains(controller)) is not [_, var hierarchy, var path])
            return null;
        // A container may name its group by a path that it does not see; then what it sees is the root of its own.
        var mounted = new[] { hierarchy, controller }.Select(each => Path.Combine(root, each)).FirstOrDefault(Directory.Exists) ?? Path.Combine(root, controller);
        var at = Path.Combine(mounted, path.TrimStart('/'));
        return Directory.Exists(at) ? at : mounted;
    }

    private void Limit(ResourceLimits limits)
    {
        var (memory, processes) = (Folders[0], isUnified ? Folders[0] : Folders[1]);
        File.WriteAllText(Path.Combine(processes, "pids.max"), Text(limits.Processes));
        if (isUnified)
        {
            File.WriteAllText(Path.Combine(memory, "memory.max"), Text(limits.Memory.Bytes));
            // Memory on disk would make a stage slow rather than tell that it needs more.
            WriteWhereThere(Path.Combine(memory, "memory.swap.max"), "0");
            if (limits.Cpus is { } share)
                File.WriteAllText(Path.Combine(memory, "cpu.max"), $"{Text((long)(share * Period))} {Period}");
            return;
        }

        File.WriteAllText(Path.Combine(memory, "memory.limit_in_bytes"), Text(limits.Memory.Bytes));
        WriteWhereThere(Path.Combine(memory, "memory.memsw.limit_in_bytes"), Text(limits.Memory.Bytes));
        if (limits.Cpus is { } cpus)
        {
            File.WriteAllText(Path.Combine(Folders[2], "cpu.cfs_period_us"), Text(Period));
            File.WriteAllText(Path.Combine(Folders[2], "cpu.cfs_quota_us"), Text((long)(cpus * Period)));
        }
    }

    /// <summary>Swap is not accounted for on every kernel.</summary>
    private static void WriteWhereThere(string path, string value)
    {
        if (File.Exists(path))
            File.WriteAllText(path, value);
    }

    private static void TryWrite(string path, string value)
    {
        try
        {
            WriteWhereThere(path, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then they are ended as they are.
        }
    }

    /// <returns>Without those that another process space has, which are called 0 here. Null where that cannot be known.</returns>
    private static List<int>? MembersOf(string folder)
    {
        try
        {
            return [.. File.ReadLines(Path.Combine(folder, Members)).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(id => id > 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Directory.Exists(folder) ? null : [];
        }
    }

    private static long Count(string folder, string file, string name) =>
        Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Prepend(folder).Sum(each => CountIn(each, file, name));

    private static long CountIn(string folder, string file, string name)
    {
        try
        {
            return File.ReadLines(Path.Combine(folder, file)).Select(line => line.Split(' ')).FirstOrDefault(words => words[0] == name) is [_, var count] ? long.Parse(count, CultureInfo.InvariantCulture) : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;       // the kernel does not count it; then nothing is claimed of it
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
