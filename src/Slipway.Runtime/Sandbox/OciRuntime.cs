using System.Text.Json;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;

namespace Slipway.Runtime.Sandbox;

/// <summary>Runs an enclosed command with runc, over the same view of the host; for hosts where bubblewrap may not be.</summary>
/// <remarks>
/// OCI runtime specification 1.0, <c>config.json</c>. The filter of system calls is bubblewrap's alone, and so is the lock on further user
/// namespaces: a level below the sandbox, and named so wherever it is shown.
/// </remarks>
internal static class OciRuntime
{
    public const string Program = "runc";

    private const string Path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

    /// <summary>Its exit code when the container could not be made; a command's may be the same.</summary>
    public const int Failure = 1;

    /// <summary>Whether a line is the runtime's, of a container that could not be made.</summary>
    public static bool IsFailure(string line) => line.Contains(Program + " run failed", StringComparison.Ordinal);

    /// <exception cref="SlipwayException">It is not installed (exit 3).</exception>
    public static string Find()
    {
        try
        {
            return ChildProcess.Find(Program, "/", Path);
        }
        catch (SlipwayException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-oci-runtime", $"--isolation oci needs {Program}, and it is not in {Path}", Help: "install the Debian package runc; or leave --isolation out to use the sandbox"), e);
        }
    }

    /// <summary>Writes the container's bundle into the command's private folder. The container is kept until its <see cref="Removal"/>, with the group below the command's own in which it met its limits.</summary>
    public static IReadOnlyList<string> Arguments(string program, EnclosedCommand command, bool isGrouped)
    {
        var bundle = System.IO.Path.Combine(command.Folder, "oci");
        foreach (var target in new[] { "", "proc", "dev" }.Concat(command.Mounts.Where(mount => mount.Kind == MountKind.Link).Select(mount => System.IO.Path.GetDirectoryName(mount.Target)!.TrimStart('/'))))
            Directory.CreateDirectory(System.IO.Path.Combine(bundle, "rootfs", target));
        foreach (var link in command.Mounts.Where(mount => mount.Kind == MountKind.Link))
            File.CreateSymbolicLink(System.IO.Path.Combine(bundle, "rootfs", link.Target.TrimStart('/')), link.Source);
        using (var file = File.Create(System.IO.Path.Combine(bundle, "config.json")))
        using (var json = new Utf8JsonWriter(file))
            Write(json, command, isGrouped);
        return [program, "--root", StateOf(command), "run", "--keep", "--bundle", bundle, NameOf(command)];
    }

    /// <summary>Ends and forgets the container, whose first process does not die with the runtime that started it.</summary>
    public static IReadOnlyList<string> Removal(EnclosedCommand command) => [Find(), "--root", StateOf(command), "delete", "--force", NameOf(command)];

    private static string StateOf(EnclosedCommand command) => System.IO.Path.Combine(command.Folder, "oci", "state");

    /// <summary>As the command's control groups are called: the runtime names its own by it, and those of a killed run are found by it.</summary>
    private static string NameOf(EnclosedCommand command) => Enclosure.GroupOf(command);

    private static void Write(Utf8JsonWriter json, EnclosedCommand command, bool isGrouped)
    {
        json.WriteStartObject();
        json.WriteString("ociVersion", "1.0.2");
        json.WriteString("hostname", "slipway");
        json.WriteStartObject("root");
        json.WriteString("path", "rootfs");
        json.WriteBoolean("readonly", true);
        json.WriteEndObject();

        json.WriteStartObject("process");
        json.WriteBoolean("terminal", false);
        json.WriteBoolean("noNewPrivileges", true);
        json.WriteStartObject("user");
        json.WriteNumber("uid", 0);
        json.WriteNumber("gid", 0);
        json.WriteEndObject();
        Strings(json, "args", command.Arguments);
        Strings(json, "env", command.Environment.Select(variable => variable.Key + "=" + variable.Value));
        json.WriteString("cwd", command.WorkingDirectory);
        json.WriteStartObject("capabilities");
        json.WriteEndObject();
        // Of the command alone: the runtime around it needs more memory than many a command.
        json.WriteStartArray("rlimits");
        if (command.Limits.Disk is { } disk)
            Limited(json, "RLIMIT_FSIZE", disk.Bytes);
        if (!isGrouped)
            Limited(json, "RLIMIT_DATA", command.Limits.Memory.Bytes);
        Limited(json, "RLIMIT_CORE", 0);
        json.WriteEndArray();
        json.WriteEndObject();

        json.WriteStartArray("mounts");
        Mounted(json, "/proc", "proc", "proc", []);
        Mounted(json, "/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]);
        Mounted(json, "/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777"]);
        foreach (var (kind, source, target) in command.Mounts)
        {
            if (kind == MountKind.Empty)
                Mounted(json, target, "tmpfs", "tmpfs", ["ro", "nosuid", "nodev"]);
            else if (kind != MountKind.Link)
                Mounted(json, target, "bind", source, ["rbind", kind == MountKind.ReadOnly ? "ro" : "rw", "nosuid", "nodev"]);
        }

        foreach (var device in command.Devices)
            Mounted(json, device, "bind", device, ["rbind", "rw", "nosuid"]);
        if (!command.Devices.IsEmpty)
            Mounted(json, "/sys", "bind", "/sys", ["rbind", "ro", "nosuid", "nodev", "noexec"]);
        json.WriteEndArray();

        json.WriteStartObject("linux");
        json.WriteStartArray("namespaces");
        foreach (var kind in new[] { "pid", "ipc", "uts", "mount", "cgroup", "user" }.Concat(command.Network ? [] : ["network"]))
        {
            json.WriteStartObject();
            json.WriteString("type", kind);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        foreach (var (mapping, id) in new[] { ("uidMappings", Own("Uid:")), ("gidMappings", Own("Gid:")) })
        {
            json.WriteStartArray(mapping);
            json.WriteStartObject();
            json.WriteNumber("containerID", 0);
            json.WriteNumber("hostID", id);
            json.WriteNumber("size", 1);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        Strings(json, "maskedPaths", ["/proc/kcore", "/proc/keys", "/proc/timer_list"]);
        Strings(json, "readonlyPaths", ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Mounted(Utf8JsonWriter json, string target, string kind, string source, IEnumerable<string> options)
    {
        json.WriteStartObject();
        json.WriteString("destination", target);
        json.WriteString("type", kind);
        json.WriteString("source", source);
        Strings(json, "options", options);
        json.WriteEndObject();
    }

    private static void Limited(Utf8JsonWriter json, string kind, long limit)
    {
        json.WriteStartObject();
        json.WriteString("type", kind);
        json.WriteNumber("soft", limit);
        json.WriteNumber("hard", limit);
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    /// <summary>This process's effective user or group.</summary>
    private static long Own(string line) =>
        long.Parse(File.ReadLines("/proc/self/status").First(each => each.StartsWith(line, StringComparison.Ordinal)).Split('\t')[2], System.Globalization.CultureInfo.InvariantCulture);
}
