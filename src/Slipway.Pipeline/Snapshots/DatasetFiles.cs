using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Snapshots;

/// <param name="Relative">To the dataset's own root, with slashes.</param>
internal readonly record struct DatasetFile(string Relative, string Absolute);

/// <summary>The files that a dataset's path stands for: a file, all files of a folder, or those that a glob matches.</summary>
/// <remarks>
/// In a glob <c>*</c> and <c>?</c> stay within one name and <c>**</c> is any number of folders. Names that begin with a dot are
/// left out unless they are written out. Links are followed; a link that leads back to a folder above it is a fault.
/// </remarks>
internal sealed class DatasetFiles
{
    /// <summary>More than these are a mistake in the path sooner than a dataset.</summary>
    private const int MaximumFiles = 100_000;

    /// <summary>Deeper than any dataset's folders.</summary>
    private const int MaximumDepth = 64;

    private readonly DatasetSpec spec;
    private readonly string projectRoot;
    private readonly List<DatasetFile> found = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);

    private DatasetFiles(DatasetSpec spec, string projectRoot) => (this.spec, this.projectRoot) = (spec, projectRoot);

    /// <returns>At least one, sorted by the UTF-8 bytes of the relative path.</returns>
    /// <exception cref="SlipwayException">Nothing is there, or what is there cannot be listed (exit 2), or may not be (exit 3).</exception>
    public static List<DatasetFile> Of(DatasetSpec spec, string projectRoot)
    {
        var files = new DatasetFiles(spec, projectRoot);
        files.Find();
        files.found.Sort((a, b) => Utf8Order.Comparer.Compare(a.Relative, b.Relative));
        return files.found;
    }

    private void Find()
    {
        if (spec.Path.Contains("://", StringComparison.Ordinal))
            throw Fault("unsupported-source", $"{spec.Path} is not on this machine; data is read from files", "download it first, and name the file, folder or glob");

        var parts = spec.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var plain = parts.TakeWhile(part => !Glob.IsPattern(part)).Count();
        var root = Path.Combine(projectRoot, (spec.Path.StartsWith('/') ? "/" : "") + string.Join('/', parts[..plain]));
        var pattern = parts[plain..];
        switch (Look(root)?.Kind)
        {
            case null:
                throw Missing(root);
            case FileKind.Folder:
                Walk(root, "", pattern.Length == 0 ? ["**", "*"] : pattern, [Identity(root)]);
                if (found.Count == 0)
                    throw Fault("missing-data", pattern.Length == 0 ? $"the folder {spec.Path} holds no files" : $"no file matches {spec.Path}", "put the data there, or correct the path");
                break;
            case var _ when pattern.Length > 0:
                throw Fault("missing-data", $"no file matches {spec.Path}: {Shown(root)} is not a folder", "put the data there, or correct the path");
            default:
                found.Add(new DatasetFile(Path.GetFileName(root), root));
                break;
        }
    }

    private void Walk(string folder, string prefix, ReadOnlySpan<string> pattern, List<(ulong, ulong)> above)
    {
        if (above.Count > MaximumDepth)
            throw Fault("too-deep", $"{Shown(folder)} lies more than {MaximumDepth} folders deep", "name a folder nearer to the data");
        if (pattern[0] == "**" && pattern.Length > 1)
            Walk(folder, prefix, pattern[1..], above);
        foreach (var path in List(folder))
        {
            var name = Path.GetFileName(path);
            var any = pattern[0] == "**";
            if (name.StartsWith('.') ? name != pattern[0] : !any && !Glob.Matches(pattern[0], name))
                continue;
            var stamp = Look(path) ?? throw Fault("missing-data", $"{Shown(path)} is a link to nothing", "remove the link, or put its target back");
            if (stamp.Kind == FileKind.Folder)
            {
                if (!any && pattern.Length == 1)
                    continue;
                var identity = (stamp.Device, stamp.Inode);
                if (above.Contains(identity))
                    throw Fault("link-loop", $"{Shown(path)} leads back to a folder above it", "remove the link, or name the files by a glob that leaves it out");
                Walk(path, prefix + name + "/", any ? pattern : pattern[1..], [.. above, identity]);
            }
            else if (pattern.Length == 1)
            {
                Add(new DatasetFile(prefix + name, path));
            }
        }
    }

    private void Add(DatasetFile file)
    {
        // Two ** in one pattern reach some files by several ways.
        if (!seen.Add(file.Relative))
            return;
        if (found.Count == MaximumFiles)
            throw Fault("too-many-files", $"{spec.Path} stands for more than {MaximumFiles} files", "name a smaller folder, or join the files");
        found.Add(file);
    }

    private List<string> List(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder)];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, At(spec, "no-permission", $"the folder {Shown(folder)} may not be listed by this user", $"chmod u+rx {Shown(folder)}"), e);
        }
    }

    private FileStamp? Look(string path)
    {
        try
        {
            return FileStamp.Of(path);
        }
        catch (IOException e)
        {
            throw Fault("unreadable-data", $"{Shown(path)} cannot be looked at: {e.Message.Replace(path, Shown(path))}", "a link that leads to itself, or a broken disk");
        }
        catch (SlipwayException e)
        {
            throw new SlipwayException(ExitCode.NotThere, At(spec, "no-permission", $"{Shown(path)} may not be read by this user", "make it and the folders above it readable"), e);
        }
    }

    private SlipwayException Missing(string root)
    {
        var folder = Path.GetDirectoryName(root);
        var near = Directory.Exists(folder) ? NearestName.Of(Path.GetFileName(root), List(folder).Select(path => Path.GetFileName(path)!)) : null;
        return Fault("missing-data", $"the dataset '{spec.Name}' is not there: {Shown(root)}", near is null ? "put the data there, or correct the path" : $"did you mean {Shown(Path.Combine(folder!, near))}?");
    }

    private static (ulong, ulong) Identity(string folder) => FileStamp.Of(folder) is { } stamp ? (stamp.Device, stamp.Inode) : default;

    private string Shown(string path) => Shown(path, projectRoot);

    private SlipwayException Fault(string code, string message, string help) => new(ExitCode.UnusableInput, At(spec, code, message, help));

    /// <summary>A path as the user named it: relative to the project where it is inside.</summary>
    internal static string Shown(string text, string projectRoot) => text.Replace(projectRoot.TrimEnd('/') + "/", "", StringComparison.Ordinal);

    internal static Fault At(DatasetSpec spec, string code, string message, string? help) =>
        spec.At.File is null ? new Fault(code, message, Help: help) : spec.At.Fault(code, message, help);
}
