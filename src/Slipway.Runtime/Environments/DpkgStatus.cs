using System.Collections.Immutable;
using System.Text;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.Environments;

/// <summary>The installed packages of Debian's <c>/var/lib/dpkg/status</c>.</summary>
/// <remarks>Source: deb-control(5), Debian Policy 5.6 and 7.1. Only installed packages are kept; memory is bounded by their number.</remarks>
internal sealed class DpkgStatus
{
    /// <summary>Bytes read at a time; a long Depends line is some kilobytes.</summary>
    private const int ReadSize = 1 << 16;

    private readonly Dictionary<string, Package> installed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> providers = new(StringComparer.Ordinal);

    private sealed record Package(string Version, string Depends);

    /// <summary>The host's own architecture: that of the dpkg package itself.</summary>
    public string Architecture { get; private set; } = "unknown";

    /// <exception cref="SlipwayException">No such file: this host is not Debian or one of its kind (exit 3).</exception>
    public static DpkgStatus Read(string path)
    {
        var status = new DpkgStatus();
        try
        {
            using var reader = new StreamReader(path, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, ReadSize);
            var paragraph = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (reader.ReadLine() is { } line)
            {
                if (line.Length == 0)
                    status.Add(paragraph);
                else if (line[0] is not (' ' or '\t') && line.IndexOf(':') is > 0 and var colon && IsWanted(line.AsSpan(0, colon)))
                    paragraph[line[..colon]] = line[(colon + 1)..].Trim();
            }

            status.Add(paragraph);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SlipwayException(
                ExitCode.NotThere,
                new Fault("no-dpkg", $"cannot read {path}: host environments are fingerprinted from Debian's package database", Help: "run on Debian or Ubuntu, or leave out env: to use whatever the host has, unrecorded"),
                e);
        }

        return status;
    }

    public string? VersionOf(string package) => installed.GetValueOrDefault(package)?.Version;

    public IEnumerable<string> Names => installed.Keys;

    /// <summary>The package itself, or the installed ones that provide it.</summary>
    public IEnumerable<string> Satisfying(string name) =>
        installed.ContainsKey(name) ? [name] : providers.GetValueOrDefault(name, []);

    /// <summary>What a package depends on: for each dependency its alternatives, in order.</summary>
    public IEnumerable<ImmutableArray<string>> DependenciesOf(string package) =>
        from dependency in installed[package].Depends.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        select dependency.Split('|').Select(NameOf).ToImmutableArray();

    private static bool IsWanted(ReadOnlySpan<char> field) => field is "Package" or "Status" or "Version" or "Architecture" or "Depends" or "Pre-Depends" or "Provides";

    private void Add(Dictionary<string, string> paragraph)
    {
        if (paragraph.TryGetValue("Package", out var name)
            && paragraph.GetValueOrDefault("Status", "").EndsWith(" installed", StringComparison.Ordinal)
            && paragraph.TryGetValue("Version", out var version))
        {
            if (name == "dpkg")
                Architecture = paragraph.GetValueOrDefault("Architecture", Architecture);
            // A package of two architectures stands twice: both count.
            version = installed.TryGetValue(name, out var other) && other.Version != version ? $"{other.Version}, {version}" : version;
            installed[name] = new Package(version, paragraph.GetValueOrDefault("Pre-Depends", "") + "," + paragraph.GetValueOrDefault("Depends", "") + "," + other?.Depends);
            foreach (var provided in paragraph.GetValueOrDefault("Provides", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!providers.TryGetValue(NameOf(provided), out var list))
                    providers[NameOf(provided)] = list = [];
                list.Add(name);
            }
        }

        paragraph.Clear();
    }

    // "libc6 (>= 2.36)", "python3:any", "foo [amd64] <!nocheck>".
    private static string NameOf(string text)
    {
        text = text.Trim();
        var end = text.IndexOfAny([' ', '(', ':', '[', '<']);
        return end < 0 ? text : text[..end];
    }
}
