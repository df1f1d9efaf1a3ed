using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>Everything that goes along with a bundle: its manifest or the index of its variants, what is attached, and the blobs of all.</summary>
/// <param name="Root">What gets the tag.</param>
/// <param name="Manifests">Each once; each after what it refers to, but for its subject.</param>
/// <param name="Blobs">Each once, largest first.</param>
/// <param name="LeftBehind">What is attached and does not go along, because nobody could verify it, or because it is only listed: a registry's list may outlive what it names.</param>
public sealed record TransferPlan(PlannedManifest Root, ImmutableArray<PlannedManifest> Manifests, ImmutableArray<OciDescriptor> Blobs, ImmutableArray<Digest> LeftBehind)
{
    /// <summary>Indexes inside indexes that are followed; images in use have two at most.</summary>
    private const int Deepest = 4;

    /// <summary>Manifests of one transfer, and blobs; more is no bundle, and a fault before anything is sent.</summary>
    private const int MaxManifests = 10_000, MaxBlobs = 200_000;

    /// <summary>Bytes of all manifests together, which are held in memory; more is a fault before anything is sent.</summary>
    private const long MaxManifestBytes = 64L << 20;

    /// <summary>The bundles among them, which are what can be verified; of an index all its variants.</summary>
    public IEnumerable<PlannedManifest> Bundles => Root.Index is null ? [Root] : Manifests.Where(manifest => Root.Index.Manifests.Any(entry => entry.Digest == manifest.Digest));

    /// <summary>What is attached to one of them.</summary>
    public IReadOnlyCollection<Digest> AttachedTo(Digest subject) => [.. Manifests.Where(manifest => manifest.Subject == subject).Select(manifest => manifest.Digest)];

    /// <summary>Reads all manifests, and no blob.</summary>
    /// <param name="onlyOfBundles">
    /// For who verifies, which is done bundle by bundle: leaves behind what is attached to an index, which nobody signs, and an index that is attached.
    /// </param>
    /// <exception cref="SlipwayException">One is missing or none (exit 2), has another digest (exit 1), or the source does not answer (exit 3).</exception>
    public static async Task<TransferPlan> ReadAsync(IBundleSource source, Digest root, CancellationToken cancellation, bool onlyOfBundles = false)
    {
        var reader = new Reader(source);
        var first = await reader.AddNeededAsync(root, cancellation);
        var left = ImmutableArray.CreateBuilder<Digest>();
        foreach (var subject in reader.Manifests.ToArray())
        {
            foreach (var attached in await source.ReferrersAsync(subject.Digest, cancellation))
            {
                if (!reader.IsNeeded(attached) && (await reader.PeekAsync(attached, cancellation) is not { } listed || (onlyOfBundles && (subject.Index ?? listed.Index) is not null)))
                {
                    left.Add(attached);
                    continue;
                }

                var manifest = await reader.AddAsync(attached, 0, cancellation);
                if (manifest.Subject != subject.Digest && !reader.IsNeeded(manifest.Digest))
                    reader.Drop(manifest);
            }
        }

        return new TransferPlan(first, [.. reader.Manifests], reader.Blobs(), [.. left.Distinct()]);
    }

    private sealed class Reader(IBundleSource source)
    {
        private readonly Dictionary<Digest, PlannedManifest> known = [], read = [];
        private readonly HashSet<Digest> under = [];
        private long bytes;

        public List<PlannedManifest> Manifests { get; } = [];

        /// <summary>Whether it is there for its own sake or an index's, and not because somebody says that it is attached.</summary>
        public bool IsNeeded(Digest manifest) => under.Contains(manifest);

        /// <summary>A registry's list may name what is attached to something else: that does not go along.</summary>
        public void Drop(PlannedManifest manifest) => Manifests.Remove(manifest);

        /// <summary>Adds what is there for its own sake: nobody's list makes it something attached.</summary>
        public Task<PlannedManifest> AddNeededAsync(Digest digest, CancellationToken cancellation)
        {
            under.Add(digest);
            return AddAsync(digest, 0, cancellation);
        }

        /// <summary>What is listed as attached; null where it is only listed. It is not added, and nothing of what it names is read.</summary>
        public async Task<PlannedManifest?> PeekAsync(Digest digest, CancellationToken cancellation)
        {
            if (read.TryGetValue(digest, out var there))
                return there;
            if (await source.ReadManifestAsync(digest, cancellation) is not { } found)
                return null;
            var manifest = Parse(digest, found);
            if ((bytes += manifest.Bytes.Length) > MaxManifestBytes)
                throw Refused(digest, $"and what goes along have more than {MaxManifestBytes} bytes of manifests");
            read.Add(digest, manifest);
            return manifest;
        }

        public async Task<PlannedManifest> AddAsync(Digest digest, int depth, CancellationToken cancellation)
        {
            if (known.TryGetValue(digest, out var there))
                return there;
            if (depth > Deepest || known.Count >= MaxManifests)
                throw Refused(digest, depth > Deepest ? $"lies deeper than {Deepest} indexes" : $"is one of more than {MaxManifests}");
            var manifest = await PeekAsync(digest, cancellation) ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "manifest-missing", $"manifest {digest} is not in {source.Name}", Help: "push it again; `slipway tags` lists what is there"));
            known.Add(digest, manifest);
            foreach (var entry in manifest.Index?.Manifests ?? [])
            {
                if (entry.MediaType is not (OciManifest.ManifestMediaType or OciIndex.IndexMediaType))
                    throw Refused(digest, $"lists something of type {entry.MediaType}, allowed are OCI manifests and indexes");
                under.Add(entry.Digest);
                if ((await AddAsync(entry.Digest, depth + 1, cancellation)).Bytes.Length != entry.Size)
                    throw Refused(entry.Digest, $"has another size than the {entry.Size} bytes that index {digest} says");
            }

            Manifests.Add(manifest);
            return manifest;
        }

        public ImmutableArray<OciDescriptor> Blobs()
        {
            var blobs = new Dictionary<Digest, OciDescriptor>();
            foreach (var manifest in Manifests)
            {
                foreach (var blob in manifest.Manifest?.Blobs ?? [])
                {
                    if (blobs.TryGetValue(blob.Digest, out var other) && other.Size != blob.Size)
                        throw Refused(manifest.Digest, $"says that blob {blob.Digest} has {blob.Size} bytes, and {other.Size} stands elsewhere");
                    blobs[blob.Digest] = blob;
                }
            }

            if (blobs.Count > MaxBlobs)
                throw Refused(Manifests[0].Digest, $"and what goes along have more than {MaxBlobs} blobs");
            return [.. blobs.Values.OrderByDescending(blob => blob.Size).ThenBy(blob => blob.Digest)];
        }

        private PlannedManifest Parse(Digest digest, ReadOnlyMemory<byte> bytes)
        {
            if (Digest.Of(bytes.Span) != digest)
                throw RegistryFault.Wrong($"what {source.Name} has as manifest {digest} has another digest");
            try
            {
                return OciVariants.IsIndex(bytes.Span)
                    ? new PlannedManifest(digest, bytes, null, OciIndex.Parse(bytes.Span))
                    : new PlannedManifest(digest, bytes, OciManifest.Parse(bytes.Span), null);
            }
            catch (JsonException e)
            {
                throw Refused(digest, $"is no OCI manifest: {ForeignText.Shown(e.Message)}");
            }
        }

        private SlipwayException Refused(Digest manifest, string how) =>
            new(ExitCode.UnusableInput, new Fault(
                "manifest-shape", $"manifest {manifest} in {source.Name} {how}",
                Help: "Slipway's bundles are OCI image manifests; `skopeo inspect --raw` shows what this is"));
    }
}

/// <summary>A manifest or an index that is copied, byte for byte.</summary>
/// <param name="Manifest">Null for an index.</param>
/// <param name="Index">Null for a manifest.</param>
public sealed record PlannedManifest(Digest Digest, ReadOnlyMemory<byte> Bytes, OciManifest? Manifest, OciIndex? Index)
{
    public string MediaType => Index is null ? OciManifest.ManifestMediaType : OciIndex.IndexMediaType;

    /// <summary>What it is attached to; null for what stands for itself.</summary>
    public Digest? Subject => (Manifest?.Subject ?? Index?.Subject)?.Digest;

    /// <summary>As a list of referrers has it. Source: distribution-spec 1.1, "Listing Referrers".</summary>
    internal OciDescriptor AsReferrer() => new(
        MediaType, Digest, Bytes.Length, Manifest?.ArtifactType ?? Manifest?.Config.MediaType ?? Index?.ArtifactType, Manifest?.Annotations ?? Index?.Annotations);
}
