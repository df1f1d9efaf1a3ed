using System.Collections.Immutable;
using System.IO.Enumeration;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <summary>The files of a folder by content: its canonical JSON is an object of the store, and that object's digest is the folder's.</summary>
/// <remarks>Empty folders, times, owners and modes other than the executable bit are no part of it.</remarks>
/// <param name="Files">Sorted by path in byte order, each path once.</param>
public sealed record FileTree(ImmutableArray<FileTreeEntry> Files)
{
    /// <summary>Files in one tree; above it something else than a stage's output was meant, such as a whole disk.</summary>
    private const int MaximumFiles = 1_000_000;

    /// <summary>Files looked at before the first of them is handed on: enough for all processors to be busy, and a few megabytes.</summary>
    private const int LookedAtTogether = 4096;

    private static readonly Comparer<FileTreeEntry> byPath = Comparer<FileTreeEntry>.Create((one, other) => Utf8Order.Comparer.Compare(one.Path, other.Path));

    private static readonly EnumerationOptions everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>Bytes of all files.</summary>
    [JsonIgnore]
    public long Size => Files.Sum(file => file.Size);

    [JsonIgnore]
    public Digest Digest
    {
        get
        {
            using var sum = new FileTreeSum();
            foreach (var file in Files)
                sum.Add(file);
            return sum.Finish();
        }
    }

    /// <summary>The tree of these files, sorted.</summary>
    public static FileTree Of(IEnumerable<FileTreeEntry> files) => new([.. files.Order(byPath)]);

    public byte[] ToJson()
    {
        var json = new MemoryStream();
        var writer = new FileTreeWriter(json.Write);
        foreach (var file in Files)
            writer.Add(file);
        writer.Finish();
        return json.ToArray();
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote; anything else is refused, since the paths are about to be written to.</summary>
    /// <exception cref="JsonException">Not canonical, not sorted, or a path that leaves the folder.</exception>
    public static FileTree Parse(ReadOnlyMemory<byte> json)
    {
        var tree = JsonSerializer.Deserialize(json.Span, FileTreeJson.Default.FileTree) ?? throw new JsonException("a file tree is an object");
        if (tree.Files.IsDefault || !FileTreeWriter.IsCanonical(tree, json.Span))
            throw new JsonException("the file tree is not in canonical form");
        for (var i = 0; i < tree.Files.Length; i++)
        {
            var path = tree.Files[i].Path;
            if (path.Split('/').Any(part => part is "" or "." or "..") || path.Contains('\0') || tree.Files[i].Size < 0)
                throw new JsonException($"the file tree holds the path '{path}', which is not inside a folder");
            if (i > 0 && Utf8Order.Comparer.Compare(tree.Files[i - 1].Path, path) >= 0)
                throw new JsonException($"the file tree is not sorted at '{path}'");
        }

        return tree;
    }

    /// <summary>Lists a folder's regular files with all its subfolders, sorted, without holding them: memory is that of one folder's names and some thousand files.</summary>
    /// <param name="digest">Gives the digest of the file at an absolute path, which has just been seen with this stamp; asked for several at a time.</param>
    /// <param name="shown">The folder as the user knows it, for faults.</param>
    /// <param name="followLinks">Whether a link to a file counts as that file; otherwise it is refused. Links to folders always are.</param>
    /// <param name="skip">Names of files and folders that are not looked at.</param>
    /// <exception cref="SlipwayException">A link, device, socket or pipe; a name that is not UTF-8 (exit 2). Thrown when it is come to.</exception>
    public static IEnumerable<FileTreeEntry> Walk(string folder, Func<string, FileStamp, Digest> digest, string shown, bool followLinks, Func<string, bool>? skip = null)
    {
        foreach (var paths in Paths(folder, shown, followLinks, skip).Chunk(LookedAtTogether))
        {
            foreach (var file in LookAt(paths, folder, digest, shown, followLinks))
                yield return file;
        }
    }

    private static FileTreeEntry[] LookAt(string[] paths, string folder, Func<string, FileStamp, Digest> digest, string shown, bool followLinks)
    {
        var files = new FileTreeEntry[paths.Length];
        try
        {
            Parallel.For(0, files.Length, each =>
            {
                var (path, absolute) = (paths[each], Path.Join(folder, paths[each]));
                var stamp = Look(absolute, shown, path, followLinks);
                files[each] = stamp.Kind == FileKind.File
                    ? new FileTreeEntry(path, stamp.Executable, stamp.Size, digest(absolute, stamp))
                    : throw new SlipwayException(ExitCode.UnusableInput, new Fault("changing-file", $"{Shown(shown, path)} became a folder while it was looked at", Help: "wait until whatever writes it has finished, then run again"));
            });
        }
        catch (AggregateException e)
        {
            // What went wrong with one file is what there is to tell; the others were only begun.
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        return files;
    }

    /// <summary>Of everything below that is no folder, in byte order, folder by folder.</summary>
    private static IEnumerable<string> Paths(string folder, string shown, bool followLinks, Func<string, bool>? skip)
    {
        var open = new Stack<(string Prefix, List<string> Names, int Next)>([("", Names(folder, "", shown, followLinks, skip), 0)]);
        var count = 0;
        while (open.TryPop(out var at))
        {
            if (at.Next == at.Names.Count)
                continue;
            open.Push(at with { Next = at.Next + 1 });
            var path = at.Prefix + at.Names[at.Next];
            if (path.EndsWith('/'))
                open.Push((path, Names(folder, path, shown, followLinks, skip), 0));
            else if (++count <= MaximumFiles)
                yield return path;
            else
                throw TooMany(shown);
        }
    }

    /// <summary>What is in one folder, in the order of its files' paths: a folder's name ends in a slash, and is sorted with it.</summary>
    /// <exception cref="SlipwayException">It cannot be read, or holds what is neither file nor folder (exit 2).</exception>
    private static List<string> Names(string folder, string prefix, string shown, bool followLinks, Func<string, bool>? skip)
    {
        // Whether something is a folder is read from the folder above it; files are looked at later, several at a time.
        var at = Path.Join(folder, prefix);
        var names = new List<string>();
        foreach (var (name, isFolder) in Entries(at, prefix, shown))
        {
            if (skip is not null && skip(name))
                continue;
            names.Add(isFolder && Look(Path.Join(at, name), shown, prefix + name, followLinks).Kind == FileKind.Folder ? name + "/" : name);
            if (names.Count > MaximumFiles)
                throw TooMany(shown);
        }

        names.Sort(Utf8Order.Comparer);
        return names;
    }

    private static FileSystemEnumerable<(string Name, bool IsFolder)> Entries(string folder, string prefix, string shown)
    {
        try
        {
            // The folder is opened here, and only read later.
            return new FileSystemEnumerable<(string, bool)>(folder, (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory), everything);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("unreadable-folder", $"{Shown(shown, prefix)} may not be read by this user", Help: "make the folder readable"), e);
        }
    }

    private static SlipwayException TooMany(string shown) =>
        new(ExitCode.UnusableInput, new Fault("too-many-files", $"{shown} holds more than {MaximumFiles:N0} files", Help: "pack them into one file, or narrow the path"));

    /// <summary>What faults call a file of the folder.</summary>
    private static string Shown(string folder, string name) => $"{folder.TrimEnd('/')}/{name}";

    /// <summary>The stamp of a regular file or of a folder.</summary>
    /// <exception cref="SlipwayException">It is neither, or is missing (exit 2).</exception>
    private static FileStamp Look(string path, string folder, string name, bool followLinks)
    {
        var stamp = FileStamp.Of(path, followLinks: false);
        if (stamp is { Kind: FileKind.Link } && followLinks)
        {
            stamp = FileStamp.Of(path);
            if (stamp is { Kind: FileKind.Folder })
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("link", $"{Shown(folder, name)} is a link to a folder; only links to files are followed", Help: "name the folder that it points to instead"));
        }

        return stamp switch
        {
            null => throw new SlipwayException(ExitCode.UnusableInput, new Fault("missing-file", $"{Shown(folder, name)} is not there, points nowhere, or has a name that is not UTF-8")),
            { Kind: FileKind.File or FileKind.Folder } found => found,
            { Kind: FileKind.Link } => throw new SlipwayException(ExitCode.UnusableInput, new Fault("link", $"{Shown(folder, name)} is a symbolic link; only files and folders have content of their own", Help: "write the file itself instead of a link to it")),
            { Kind: var kind } => throw new SlipwayException(ExitCode.UnusableInput, new Fault("not-a-file", $"{Shown(folder, name)} is a {kind.ToString().ToLowerInvariant()}; only files and folders have content", Help: "make it outside the declared path, such as under $TMPDIR")),
        };
    }
}

/// <param name="Path">Relative to the folder, with slashes.</param>
/// <param name="Executable">The owner's execute bit.</param>
/// <param name="Size">Bytes.</param>
public sealed record FileTreeEntry(string Path, bool Executable, long Size, Digest Digest);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FileTree))]
internal sealed partial class FileTreeJson : JsonSerializerContext;

/// <summary>The order of the names' UTF-8 bytes, which UTF-16's is not beyond the basic plane.</summary>
public sealed class Utf8Order : IComparer<string>
{
    /// <summary>How far code units are moved so that surrogates, which begin UTF-8's longest sequences, come last.</summary>
    private const int AfterSurrogates = 0x800, BeforeSurrogates = 0x2000;

    public static Utf8Order Comparer { get; } = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        var same = x.AsSpan().CommonPrefixLength(y);
        return same == x.Length || same == y.Length ? x.Length - y.Length : Rank(x[same]) - Rank(y[same]);
    }

    private static int Rank(char unit) => unit < '\uD800' ? unit : unit > '\uDFFF' ? unit - AfterSurrogates : unit + BeforeSurrogates;
}
