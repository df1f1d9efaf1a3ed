using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Units;
using Slipway.Store.Oci;
using Slipway.Trust.Policies;
using Slipway.Trust.Verification;

namespace Slipway.Gateway.Control;

/// <summary>Bundles on this gateway's disk, each in a layout of its own. What it hands out was verified just now, by this gateway's policy. Thread-safe for different bundles.</summary>
internal sealed class BundleShelf(string folder, TrustPolicy trusted, IReadOnlyCollection<LedgerEvidence> evidence, ServerLink link, TimeProvider time)
{
    /// <summary>Blobs of one bundle; more is no list of ours.</summary>
    private const int MaxBlobs = 10_000;

    /// <summary>A download that brings nothing for this long is given up, and begun again.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(30);

    private const int BufferBytes = 128 * 1024;

    /// <summary>Bundles that are being fetched, verified or read, once for each who does so: none of them is deleted meanwhile.</summary>
    private readonly List<Digest> used = [];
    private readonly Lock changing = new();

    /// <summary>Verifies what is here, or fetches what is missing and verifies then; and hands it to who reads it.</summary>
    /// <param name="read">Called with what was verified just now, which stays on the disk as long as this takes.</param>
    /// <exception cref="SlipwayException">It does not verify (exit 1); the server does not answer or does not have it, no space (exit 3).</exception>
    public async Task<T> UseAsync<T>(Digest bundle, Func<VerifiedBundle, T> read, CancellationToken cancellation)
    {
        lock (changing)
            used.Add(bundle);
        try
        {
            var verified = await GetAsync(bundle, cancellation);
            return await Task.Run(() => read(verified), cancellation);
        }
        finally
        {
            lock (changing)
                used.Remove(bundle);
        }
    }

    /// <summary>Deletes all bundles but these, and those that are used. A bundle is there as a whole or not at all, whatever ends this.</summary>
    public void Keep(IReadOnlySet<Digest> wanted)
    {
        var gone = new List<string>();
        lock (changing)
        {
            foreach (var place in Directory.GetDirectories(folder))
            {
                if (Digest.TryParse("sha256:" + Path.GetFileName(place), out var bundle) && !wanted.Contains(bundle) && !used.Contains(bundle))
                    gone.Add(TakeAway(place));
            }
        }

        foreach (var place in gone)
            Directory.Delete(place, recursive: true);
    }

    private async Task<VerifiedBundle> GetAsync(Digest bundle, CancellationToken cancellation)
    {
        var place = PathOf(bundle);
        if (Directory.Exists(place))
        {
            try
            {
                if ((await VerifyAsync(OciLayout.Create(place), bundle, cancellation)).Bundle is { } verified)
                    return verified;
            }
            catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput)
            {
                // No layout any more, as after a crash of the disk: nothing in it is of use.
                Directory.Delete(TakeAway(place), recursive: true);
            }
        }

        await FetchAsync(bundle, OciLayout.Create(place), cancellation);
        return (await VerifyAsync(OciLayout.Create(place), bundle, cancellation)).Require();
    }

    /// <returns>Its new name, which is deleted at the next start if not before.</returns>
    private static string TakeAway(string place)
    {
        var away = AtomicFile.TemporaryBeside(place);
        Directory.Move(place, away);
        return away;
    }

    private string PathOf(Digest bundle) => Path.Combine(folder, bundle.Hex);

    private Task<VerificationResult> VerifyAsync(OciLayout layout, Digest bundle, CancellationToken cancellation) =>
        Task.Run(() => BundleVerifier.Verify(layout, bundle, trusted, evidence, cancellation), cancellation);

    private async Task FetchAsync(Digest bundle, OciLayout layout, CancellationToken cancellation)
    {
        var contents = await link.ContentsAsync(bundle, cancellation);
        if (contents.Bundle != bundle || contents.Blobs.IsDefaultOrEmpty || contents.Blobs.Length > MaxBlobs || contents.Attestations.IsDefault)
            throw Refused($"the server's list of what belongs to {bundle} is of {contents.Bundle}, or is empty, or has more than {MaxBlobs} blobs");
        if (contents.Blobs.Sum(blob => (decimal)blob.Size) is var needed && new DriveInfo(folder).AvailableFreeSpace is var free && needed > free)
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-space", $"there is no space left for the bundle: it has {new ByteSize((long)Math.Min(needed, long.MaxValue))}, and {new ByteSize(free)} are free", folder, Help: "free some space; the gateway goes on trying"));
        foreach (var blob in contents.Blobs)
        {
            if (layout.CheckBlob(blob, cancellation) != BlobState.Intact && !Copied(blob, layout, cancellation))
                await DownloadAsync(blob, layout, cancellation);
        }

        // The bundle first: what is attached to it is listed by its subject.
        foreach (var manifest in contents.Attestations.Prepend(bundle))
            List(layout, manifest, cancellation);
    }

    /// <summary>Versions of a model have most layers in common.</summary>
    private bool Copied(OciDescriptor blob, OciLayout layout, CancellationToken cancellation)
    {
        foreach (var place in Directory.GetDirectories(folder).Where(place => place != layout.Folder))
        {
            var file = Path.Combine(place, "blobs", "sha256", blob.Digest.Hex);
            try
            {
                if (File.Exists(file) && layout.AddBlob(file, cancellation) is var copy && copy.Digest == blob.Digest && copy.Size == blob.Size)
                    return true;
            }
            catch (IOException)
            {
                // That bundle is being deleted: the server has the blob as well.
            }
        }

        return false;
    }

    private async Task DownloadAsync(OciDescriptor blob, OciLayout layout, CancellationToken cancellation)
    {
        using var response = await link.OpenBlobAsync(blob.Digest, cancellation);
        using var stall = new CancellationTokenSource(Stall, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, cancellation);
        // The layout's writing is synchronous; what ends a reading that hangs is that its connection is closed.
        await using var ending = either.Token.Register(response.Dispose);
        try
        {
            await using var content = await response.Content.ReadAsStreamAsync(either.Token);
            await Task.Run(() => layout.AddBlob(output => Copy(content, output, blob, () => stall.CancelAfter(Stall))), CancellationToken.None);
        }
        catch (Exception e) when (e is not SlipwayException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new SlipwayException(ExitCode.NotThere, new Fault(ServerLink.Unreachable, $"blob {blob.Digest} did not arrive whole", Help: "the gateway goes on trying"), e);
        }
    }

    private static void Copy(Stream from, Stream to, OciDescriptor blob, Action progress)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        var left = blob.Size;
        while (from.Read(buffer) is > 0 and var read)
        {
            progress();
            left -= read;
            if (left < 0)
                break;
            hash.AppendData(buffer, 0, read);
            to.Write(buffer, 0, read);
        }

        if (left > 0)
            throw new EndOfStreamException();
        if (left < 0 || new Digest(hash.GetHashAndReset()) != blob.Digest)
            throw Refused($"what the server sent as blob {blob.Digest} is something else");
    }

    private static void List(OciLayout layout, Digest manifest, CancellationToken cancellation)
    {
        var read = layout.ReadBlob(manifest, OciManifest.MaxBytes);
        if (read.State != BlobState.Intact)
            throw Refused($"the server's list names manifest {manifest}, and it is not among the blobs, or is too large");
        try
        {
            layout.PutManifest(read.Bytes, tag: null, cancellation);
        }
        catch (JsonException e)
        {
            throw Refused($"what the server sent as manifest {manifest} is none: {e.Message}");
        }
    }

    private static SlipwayException Refused(string message) =>
        new(ExitCode.BadVerdict, new Fault("fetch-refused", message, Help: "`slipway verify` on the server's folder finds out whether its store is damaged"));
}
