using System.Security.Cryptography;
using Slipway.Primitives.Bytes;

namespace Slipway.Store.Registries;

/// <summary>The digest of content that passes in pieces, of which some come again after a cut connection: each byte counts once.</summary>
internal sealed class RunningDigest : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes that are in it.</summary>
    public long Count { get; private set; }

    /// <param name="position">Of the first byte in the content; at most <see cref="Count"/>.</param>
    public void Add(long position, ReadOnlySpan<byte> data)
    {
        var known = Count - position;
        ArgumentOutOfRangeException.ThrowIfNegative(known, nameof(position));
        if (known >= data.Length)
            return;
        hash.AppendData(data[(int)known..]);
        Count = position + data.Length;
    }

    /// <summary>Whether all that passed has this digest.</summary>
    public bool Is(Digest digest) => new Digest(hash.GetCurrentHash()) == digest;

    public void Dispose() => hash.Dispose();
}
