using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Slipway.Runtime.Sandbox;

/// <summary>strace(1) around an enclosed command: the files that it looked for and did not find.</summary>
/// <remarks>It stands outside the sandbox, as its parent: inside, the filter of system calls lets nobody trace.</remarks>
public static partial class Strace
{
    private const string Program = "/usr/bin/strace";

    /// <summary>Calls by which a program reads a file or looks whether it is there; a question mark lets one be missing on this processor.</summary>
    private const string Calls = "?open,openat,?openat2,?stat,?lstat,?newfstatat,?statx,?access,faccessat,?faccessat2";

    public static bool IsHere => File.Exists(Program);

    /// <summary>The same command, with a line for each of its failed look-ups in place of what it writes.</summary>
    /// <remarks>Names are written byte by byte in hexadecimal, and with -Z each line at once, whichever process it is of. The calls that do not count are not stopped at (--seccomp-bpf), so that most programs are hardly slower.</remarks>
    internal static IReadOnlyList<string> Around(IReadOnlyList<string> command) =>
    [
        Program, "--follow-forks", "--seccomp-bpf", "-qq", "-Z", "-y", "-xx", "-e", "trace=" + Calls, "-e", "signal=none", "--",
        "/bin/sh", "-c", "exec \"$@\" > /dev/null 2>&1", "slipway", .. command,
    ];

    /// <summary>What was not found, in order, those that were to be opened first; absolute, as the command saw it.</summary>
    /// <param name="log">What a traced command left; other lines, such as a cut one, are passed over.</param>
    /// <param name="workingDirectory">That relative names are taken from where the call does not say.</param>
    public static IEnumerable<string> Missed(string log, string workingDirectory) =>
        File.ReadLines(log)
            .Select(line => Missing().Match(line))
            .Where(match => match.Success)
            .OrderBy(match => !match.Groups["call"].ValueSpan.StartsWith("open"))
            .Select(match => Path.GetFullPath(Text(match.Groups["path"].Value), match.Groups["folder"] is { Success: true, Value: var folder } ? Text(folder) : workingDirectory));

    private static string Text(string hexadecimal)
    {
        var name = Encoding.UTF8.GetString([.. hexadecimal.Split(@"\x", StringSplitOptions.RemoveEmptyEntries).Select(pair => byte.Parse(pair, NumberStyles.HexNumber, CultureInfo.InvariantCulture))]);
        return name.Length == 0 ? "." : name;
    }

    [GeneratedRegex("""(?<call>[a-z0-9]+)\((?:(?:AT_FDCWD|[0-9]+)<(?<folder>\\x2f(?:\\x[0-9a-f]{2})*)>, )?"(?<path>(?:\\x[0-9a-f]{2})+)", .* = -1 ENOENT """)]
    private static partial Regex Missing();
}
