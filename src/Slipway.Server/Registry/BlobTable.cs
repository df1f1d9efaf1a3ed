using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Storage;
using Slipway.Store.Oci;

namespace Slipway.Server.Registry;

/// <summary>Which blobs belong to which bundle, and who brought them.</summary>
internal static class BlobTable
{
    /// <summary>After that an upload that became no version is deleted, when somebody uploads something else.</summary>
    private static readonly TimeSpan UploadLife = TimeSpan.FromDays(7);

    /// <summary>An older upload is asked for again, so that whoever may use one has a day to register it.</summary>
    private static readonly TimeSpan UploadUse = UploadLife - TimeSpan.FromDays(1);

    public static Task NoteUploadAsync(Session session, Digest blob, Caller by, long at) => session.ExecuteAsync(
        "INSERT INTO uploads (digest, principal, at) VALUES (@blob, @by, @at) ON CONFLICT (digest, principal) DO UPDATE SET at = excluded.at",
        new { blob = blob.ToString(), by = by.Id, at });

    /// <summary>
    /// Those of the blobs that the caller has no right to make part of a bundle: neither brought by them, nor of a model that they may read.
    /// A digest alone is no right to the bytes.
    /// </summary>
    public static async Task<ImmutableArray<Digest>> StrangeAsync(Session session, Caller caller, IEnumerable<Digest> blobs, long now)
    {
        var since = now - (long)UploadUse.TotalMilliseconds;
        var strange = ImmutableArray.CreateBuilder<Digest>();
        foreach (var blob in blobs)
        {
            if (await session.FindAsync<string>("SELECT digest FROM uploads WHERE digest = @blob AND principal = @by AND at >= @since", new { blob = blob.ToString(), by = caller.Id, since }) is null
                && !(await ModelsOfAsync(session, blob)).Any(model => caller.May(Permission.Read, model)))
                strange.Add(blob);
        }

        return strange.ToImmutable();
    }

    /// <summary>Models whose bundles have the blob.</summary>
    public static async Task<ImmutableArray<string>> ModelsOfAsync(Session session, Digest blob) =>
        [.. await session.QueryAsync<string>("SELECT DISTINCT v.model FROM bundle_blobs b JOIN versions v ON v.bundle = b.bundle WHERE b.digest = @blob", new { blob = blob.ToString() })];

    public static async Task AddAsync(Session session, Digest bundle, ImmutableArray<OciDescriptor> blobs)
    {
        foreach (var blob in blobs)
        {
            await session.ExecuteAsync(
                "INSERT INTO bundle_blobs (bundle, digest, size, media_type) VALUES (@bundle, @digest, @Size, @MediaType) ON CONFLICT (bundle, digest) DO NOTHING",
                new { bundle = bundle.ToString(), digest = blob.Digest.ToString(), blob.Size, blob.MediaType });
        }
    }

    public static async Task<BundleContents> ContentsAsync(Session session, Digest bundle)
    {
        var attestations = await session.QueryAsync<string>("SELECT manifest FROM attestations WHERE bundle = @bundle ORDER BY manifest", new { bundle = bundle.ToString() });
        var blobs = await session.QueryAsync<Row>("SELECT digest AS Digest, size AS Size, media_type AS MediaType FROM bundle_blobs WHERE bundle = @bundle ORDER BY size, digest", new { bundle = bundle.ToString() });
        return new BundleContents(bundle, [.. attestations.Select(Digest.Parse)], [.. blobs.Select(blob => new OciDescriptor(blob.MediaType, Digest.Parse(blob.Digest), blob.Size))]);
    }

    /// <summary>Forgets old uploads, and gives the blobs that are nobody's then: of no registered bundle, and brought by nobody since.</summary>
    /// <remarks>Of every registered version all blobs stay, live or not, since any may be released or gone back to.</remarks>
    public static async Task<ImmutableArray<Digest>> ForgetUploadsAsync(Session session, long now)
    {
        var before = now - (long)UploadLife.TotalMilliseconds;
        var stale = await session.QueryAsync<string>(
            """
            SELECT DISTINCT digest FROM uploads WHERE at < @before
              AND digest NOT IN (SELECT digest FROM uploads WHERE at >= @before) AND digest NOT IN (SELECT digest FROM bundle_blobs)
            """,
            new { before });
        await session.ExecuteAsync("DELETE FROM uploads WHERE at < @before", new { before });
        return [.. stale.Select(Digest.Parse)];
    }

    private sealed record Row
    {
        public string Digest { get; init; } = "";

        public long Size { get; init; }

        public string MediaType { get; init; } = "";
    }
}
