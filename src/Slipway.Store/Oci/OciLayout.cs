using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Oci;

/// <summary>A folder in OCI image layout: blobs by digest, and an index of the manifests among them.</summary>
/// <remarks>
/// Source: image-spec, image-layout.md. Nothing read here is verified unless a method says so. Blobs are written under a temporary
/// name and renamed; the index changes under a lock between processes and only after what it names is durable. Instances hold
/// no state but the folder: safe to share between threads.
/// </remarks>
public sealed partial class OciLayout
{
    /// <summary>Names a manifest in an index: its tag. Source: image-spec, annotations.md.</summary>
    public const string TagAnnotation = "org.opencontainers.image.ref.name";

    /// <summary>In the index entry of an attached manifest: the digest that it is attached to, so that damage to it can be told from damage to another's.</summary>
    public const string SubjectAnnotation = "dev.slipway.subject";

    private const string Version = "1.0.0";

    private OciLayout(string folder) => Folder = folder;

    /// <summary>Absolute path.</summary>
    public string Folder { get; }

    private string IndexFile => Path.Combine(Folder, "index.json");

    private string BlobFolder => Path.Combine(Folder, "blobs", "sha256");

    /// <exception cref="SlipwayException">There is no layout (exit 2).</exception>
    public static OciLayout Open(string folder)
    {
        var path = Path.GetFullPath(folder);
        var mark = Path.Combine(path, "oci-layout");
        if (FileStamp.Of(mark) is not { Kind: FileKind.File })
            throw Unusable("layout-missing", $"{folder} is no OCI image layout: it has no file oci-layout", folder, "`slipway run` seals a project's first bundle; a layout elsewhere is named oci:DIR");
        try
        {
            var found = OciJson.Read(ReadBounded(mark, OciManifest.MaxBytes), OciJson.Default.OciLayoutMark).ImageLayoutVersion;
            return found == Version
                ? new OciLayout(path)
                : throw Unusable("layout-version", $"{mark} says version '{found}', expected {Version}", mark);
        }
        catch (JsonException e)
        {
            throw Unusable("layout-unreadable", $"{mark} is no OCI layout file: {e.Message}", mark);
        }
    }

    /// <summary>The same where there may be no folder of that name yet; null then.</summary>
    /// <exception cref="SlipwayException">The folder is there, and is no layout (exit 2).</exception>
    public static OciLayout? TryOpen(string folder) => Directory.Exists(folder) ? Open(folder) : null;

    /// <summary>Opens the layout, after making it where there is none.</summary>
    public static OciLayout Create(string folder)
    {
        var path = Path.GetFullPath(folder);
        var mark = Path.Combine(path, "oci-layout");
        if (!File.Exists(mark))
        {
            var layout = new OciLayout(path);
            AtomicFile.CreateFolder(layout.BlobFolder);
            using (layout.TakeLock(CancellationToken.None))
            {
                if (!File.Exists(layout.IndexFile))
                    AtomicFile.Write(layout.IndexFile, new OciIndex(2, [], OciIndex.IndexMediaType).ToBytes());
                AtomicFile.Write(mark, CanonicalJson.Serialize(new OciLayoutMark(Version), OciJson.Default.OciLayoutMark));
            }
        }

        return Open(folder);
    }

    /// <summary>The manifests of this layout in the index's order.</summary>
    /// <exception cref="SlipwayException">The index is missing or damaged (exit 2).</exception>
    internal OciIndex ReadIndex()
    {
        if (!File.Exists(IndexFile))
            throw Unusable("layout-unreadable", "is missing", IndexFile, "fetch the layout again; in a project, `slipway doctor --repair` makes a new index");
        try
        {
            return OciIndex.Parse(ReadBounded(IndexFile, OciIndex.MaxBytes));
        }
        catch (JsonException e)
        {
            throw Unusable("layout-unreadable", $"is no OCI index: {e.Message}", IndexFile, "fetch the layout again; in a project, `slipway doctor --repair` makes a new index");
        }
    }

    /// <summary>What each tag names.</summary>
    public ImmutableSortedDictionary<string, OciDescriptor> Tags()
    {
        var tags = ImmutableSortedDictionary.CreateBuilder<string, OciDescriptor>(StringComparer.Ordinal);
        foreach (var descriptor in ReadIndex().Manifests)
        {
            if (descriptor.Annotation(TagAnnotation) is not { } tag)
                continue;
            if (tags.TryGetValue(tag, out var other) && other.Digest != descriptor.Digest)
                throw Unusable("tag-ambiguous", $"{Folder}/index.json gives the tag '{tag}' to {other.Digest} and to {descriptor.Digest}", Folder, "name the bundle by its digest");
            tags[tag] = descriptor;
        }

        return tags.ToImmutable();
    }

    /// <summary>Finds a manifest by tag, or by digest among those that the index lists.</summary>
    public bool TryResolve(string tagOrDigest, out Digest manifest)
    {
        var isDigest = Digest.TryParse(tagOrDigest, out var digest);
        var found = isDigest ? Find(digest) : Tags().GetValueOrDefault(tagOrDigest);
        manifest = found?.Digest ?? default;
        return found is not null;
    }

    /// <summary>The index's entry for a manifest; null when it lists none.</summary>
    public OciDescriptor? Find(Digest manifest) => ReadIndex().Manifests.FirstOrDefault(entry => entry.Digest == manifest);

    internal static SlipwayException Unusable(string code, string message, string file, string? help = null) =>
        new(ExitCode.UnusableInput, new Fault(code, message, file, Help: help));

    private static byte[] ReadBounded(string path, int maxBytes)
    {
        // A pipe would block the open for ever, and no signal would end that.
        if (FileStamp.Of(path) is not { Kind: FileKind.File })
            throw Unusable("layout-unreadable", "is no regular file", path, "fetch the layout again; in a project, `slipway doctor --repair` makes a new index");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        if (file.Length > maxBytes)
            throw Unusable("layout-unreadable", $"{path} has {file.Length} bytes, allowed {maxBytes}", path);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
