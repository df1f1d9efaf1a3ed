using System.Security.Cryptography;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>The hashes of a log's tree. Leaf and node begin with different bytes, so that neither can be taken for the other.</summary>
/// <remarks>Source: RFC 6962 §2.1.</remarks>
public static class MerkleHash
{
    private const byte LeafPrefix = 0, NodePrefix = 1;

    /// <summary>Root of the tree without leaves.</summary>
    public static Digest EmptyRoot { get; } = Digest.Of([]);

    /// <param name="record">The exact bytes that are appended; may be empty.</param>
    public static Digest OfLeaf(ReadOnlySpan<byte> record)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([LeafPrefix]);
        hash.AppendData(record);
        Span<byte> result = stackalloc byte[Digest.Length];
        hash.GetHashAndReset(result);
        return new Digest(result);
    }

    public static Digest OfNode(Digest left, Digest right)
    {
        Span<byte> data = stackalloc byte[1 + 2 * Digest.Length];
        data[0] = NodePrefix;
        left.CopyTo(data[1..]);
        right.CopyTo(data[(1 + Digest.Length)..]);
        return Digest.Of(data);
    }
}
