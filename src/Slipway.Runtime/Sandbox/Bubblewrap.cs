using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;

namespace Slipway.Runtime.Sandbox;

/// <summary>The command line of bubblewrap (bwrap(1)) for an enclosed command.</summary>
internal static class Bubblewrap
{
    public const string Program = "bwrap";

    /// <summary>Its own descriptors: the filter of system calls, and where it says that the command began and ended.</summary>
    public const int FilterDescriptor = 8, StatusDescriptor = 9;

    /// <summary>The same everywhere, as programs write their user's number and host's name into what they make.</summary>
    private const string User = "1000", HostName = "slipway";

    private const string Path = "/usr/local/bin:/usr/bin:/bin";

    /// <summary>What to do where there is no sandbox to be had.</summary>
    public const string Help = "install the Debian package bubblewrap (apt-get install bubblewrap); or say which weaker isolation will do: --isolation oci, or --isolation none";

    /// <exception cref="SlipwayException">It is not installed (exit 3).</exception>
    public static string Find()
    {
        try
        {
            return ChildProcess.Find(Program, "/", Path);
        }
        catch (SlipwayException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-sandbox", $"stages run in a sandbox, which needs {Program}, and it is not in {Path}", Help: Help), e);
        }
    }

    /// <param name="program">Of <see cref="Find"/>.</param>
    public static IReadOnlyList<string> Arguments(string program, EnclosedCommand command)
    {
        List<string> arguments =
        [
            program,
            "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup", .. command.Network ? Array.Empty<string>() : ["--unshare-net"],
            "--disable-userns", "--die-with-parent", "--cap-drop", "ALL", "--uid", User, "--gid", User, "--hostname", HostName,
            "--seccomp", FilterDescriptor.ToString(), "--json-status-fd", StatusDescriptor.ToString(),
        ];
        foreach (var (kind, source, target) in command.Mounts)
        {
            arguments.AddRange(kind switch
            {
                MountKind.ReadOnly => ["--ro-bind", source, target],
                MountKind.ReadWrite => ["--bind", source, target],
                MountKind.Link => ["--symlink", source, target],
                _ => ["--tmpfs", target, "--remount-ro", target],
            });
        }

        // To the kernel a stage that root started is root, who needs no capability to write below /proc/sys.
        arguments.AddRange(["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]);
        foreach (var device in command.Devices)
            arguments.AddRange(["--dev-bind", device, device]);
        // Drivers look there for what the device is and where it sits.
        if (!command.Devices.IsEmpty)
            arguments.AddRange(["--ro-bind", "/sys", "/sys"]);
        return [.. arguments, "--remount-ro", "/", "--chdir", command.WorkingDirectory, "--", .. command.Arguments];
    }
}
