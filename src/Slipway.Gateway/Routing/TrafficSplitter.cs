using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Routing;

/// <summary>Assigns callers to the arms of a rollout: a function of salt and key alone, hence the same on every gateway and at any time.</summary>
/// <param name="weight">The candidate's share in 1/10,000.</param>
/// <remarks>
/// A caller's bucket, 0 to 9,999, never changes within a rollout, and the candidate has the buckets below its weight: whoever has it keeps
/// it when the weight grows. Source: docs/format/assignment.md. Immutable and thread-safe.
/// </remarks>
internal sealed class TrafficSplitter(string salt, int weight)
{
    private readonly byte[] prefix = [.. Encoding.UTF8.GetBytes(salt), 0];

    /// <param name="key">UTF-8, at most <see cref="KeySource.LongestKey"/> bytes.</param>
    public Assignment Assign(ReadOnlySpan<byte> key)
    {
        Span<byte> text = stackalloc byte[prefix.Length + key.Length];
        prefix.CopyTo(text);
        key.CopyTo(text[prefix.Length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        var user = BinaryPrimitives.ReadUInt64BigEndian(hash);
        return new Assignment(user % Weight.All < (ulong)weight ? Arm.Candidate : Arm.Stable, user);
    }
}

/// <param name="User">The first 8 bytes of the hash: names the caller within the rollout and tells nothing of the key.</param>
internal readonly record struct Assignment(Arm Arm, ulong User);
