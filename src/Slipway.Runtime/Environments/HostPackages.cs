using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Slipway.Documents.Environments;
using Slipway.Primitives.Bytes;

namespace Slipway.Runtime.Environments;

/// <summary>What a Debian host tells of the packages of an environment: the digests of their archives, and their licences.</summary>
/// <remarks>
/// From the lists that apt keeps (read as a stream; a gigabyte at most of each) and from the copyright files. What cannot be read is not known, and no fault: a bill of
/// materials says so. Costs about half a second where the lists are those of a whole distribution.
/// </remarks>
/// <param name="lists">Folder of apt's lists.</param>
/// <param name="documents">Folder of the packages' own folders with their copyright files.</param>
/// <param name="release">The file that names the distribution.</param>
public sealed class HostPackages(string lists = HostPackages.AptLists, string documents = "/usr/share/doc", string release = "/etc/os-release")
{
    public const string AptLists = "/var/lib/apt/lists";

    /// <summary>Bytes of a list, unpacked: ten times the largest that there is.</summary>
    private const long MostListBytes = 1L << 30;

    /// <summary>Bytes of a copyright file, and names in one: of what is larger, nobody reads the whole either.</summary>
    private const int MostCopyrightBytes = 1 << 20, MostLicenses = 64, MostNameLength = 120;

    /// <summary>How a file in the form of Debian's copyright-format 1.0 begins.</summary>
    private const string CopyrightFormat = "/doc/packaging-manuals/copyright-format/1.0";

    /// <summary>By package name, for every package of the environment.</summary>
    public ImmutableSortedDictionary<string, PackageFacts> Describe(HostFingerprint environment, CancellationToken cancellation = default)
    {
        var archives = Archives(environment, cancellation);
        var distribution = Distribution();
        return environment.Packages.ToImmutableSortedDictionary(
            package => package.Key,
            package => new PackageFacts(distribution, archives.TryGetValue((package.Key, package.Value), out var archive) ? archive : null, Licenses(package.Key)),
            StringComparer.Ordinal);
    }

    private Dictionary<(string Name, string Version), Digest> Archives(HostFingerprint environment, CancellationToken cancellation)
    {
        var found = new Dictionary<(string, string), Digest>();
        if (!Directory.Exists(lists))
            return found;
        foreach (var file in Directory.EnumerateFiles(lists, "*_Packages*").Order(StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                using var list = Open(file);
                if (list is not null)
                    Read(list, environment, found);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                // A list that is being replaced, or is kept in another form: what it names stays unknown.
            }
        }

        return found;
    }

    private static Stream? Open(string file) => Path.GetExtension(file) switch
    {
        ".lz4" => new Lz4Frame(File.OpenRead(file)),
        ".gz" => new GZipStream(File.OpenRead(file), CompressionMode.Decompress),
        _ when file.EndsWith("_Packages", StringComparison.Ordinal) => File.OpenRead(file),
        _ => null,
    };

    /// <remarks>Source: deb-control(5); paragraphs of a Packages index, whose SHA256 is that of the archive.</remarks>
    private static void Read(Stream list, HostFingerprint environment, Dictionary<(string, string), Digest> found)
    {
        using var reader = new StreamReader(list, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, 1 << 16);
        var (read, isWanted) = (0L, false);
        var (name, version, architecture, digest) = ("", "", "", "");
        while (reader.ReadLine() is { } line && (read += line.Length) < MostListBytes)
        {
            if (line.Length == 0)
            {
                Take();
                (name, version, architecture, digest, isWanted) = ("", "", "", "", false);
            }
            else if (line.StartsWith("Package: ", StringComparison.Ordinal))
            {
                name = line["Package: ".Length..];
                isWanted = environment.Packages.ContainsKey(name);
            }
            else if (isWanted && line[0] is 'V' or 'A' or 'S')
            {
                version = After("Version: ", line) ?? version;
                architecture = After("Architecture: ", line) ?? architecture;
                digest = After("SHA256: ", line) ?? digest;
            }
        }

        Take();

        void Take()
        {
            if (isWanted && (architecture == environment.Architecture || architecture == "all") && environment.Packages[name] == version && Digest.TryParse("sha256:" + digest, out var archive))
                found.TryAdd((name, version), archive);
        }
    }

    /// <summary>The short names of a machine-readable copyright file, each once, in order; empty where it is prose.</summary>
    private ImmutableArray<string> Licenses(string package)
    {
        try
        {
            using var file = File.OpenRead(Path.Combine(documents, package, "copyright"));
            if (file.Length > MostCopyrightBytes)
                return [];
            using var reader = new StreamReader(file, Encoding.UTF8);
            var names = new SortedSet<string>(StringComparer.Ordinal);
            var isFormal = false;
            while (reader.ReadLine() is { } line)
            {
                isFormal |= After("Format:", line)?.Contains(CopyrightFormat, StringComparison.Ordinal) == true;
                if (isFormal && After("License:", line)?.Trim() is { Length: > 0 and <= MostNameLength } name && names.Count < MostLicenses)
                    names.Add(name);
            }

            return [.. names];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private string Distribution()
    {
        try
        {
            return File.ReadLines(release).Take(100).Select(line => After("ID=", line)?.Trim('"')).OfType<string>().FirstOrDefault(id => id.Length > 0 && id.All(c => char.IsAsciiLetterLower(c) || c is '-' or '.')) ?? "debian";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "debian";
        }
    }

    private static string? After(string field, string line) => line.StartsWith(field, StringComparison.Ordinal) ? line[field.Length..] : null;
}
