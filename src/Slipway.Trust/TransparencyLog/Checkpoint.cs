using System.Globalization;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Signing;

namespace Slipway.Trust.TransparencyLog;

/// <summary>What a log signs: how many records it has, and the hash that stands for all of them.</summary>
/// <param name="Origin">Which log; also the name of the key that signs for it.</param>
/// <param name="Size">Records in the log; at least 0.</param>
/// <param name="Root">Root hash of the tree of that size.</param>
/// <remarks>Source: C2SP tlog-checkpoint. Extension lines are allowed in others' checkpoints and are not kept; ours have none.</remarks>
public sealed record Checkpoint(string Origin, long Size, Digest Root)
{
    /// <summary>Signs it under the log's name.</summary>
    public byte[] Sign(SigningKey key) => SignedNote.Sign(Text, Origin, key);

    private string Text => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Base64(Root)}\n");

    /// <summary>Checks a signed checkpoint.</summary>
    /// <param name="note">Untrusted bytes.</param>
    /// <param name="origin">The log that it must be of.</param>
    /// <param name="keys">Trusted for that log; one of them must have signed.</param>
    /// <param name="checkpoint">Null unless the verdict is <see cref="Verdict.Trusted"/>.</param>
    public static Verdict Open(ReadOnlySpan<byte> note, string origin, IEnumerable<NoteKey> keys, out Checkpoint? checkpoint)
    {
        checkpoint = null;
        if (SignedNote.Read(note) is not { } signed)
            return Verdict.Malformed;
        // A signature first: nothing of a text that nobody vouches for is looked at.
        switch (signed.Verify(keys))
        {
            case SignedNote.Verdict.NoTrustedSignature:
                return Verdict.NoTrustedSignature;
            case SignedNote.Verdict.WrongSignature:
                return Verdict.WrongSignature;
        }

        if (ReadUnverified(signed) is not { } read)
            return Verdict.Malformed;
        if (read.Origin != origin)
            return Verdict.OtherLog;
        checkpoint = read;
        return Verdict.Trusted;
    }

    /// <summary>Reads a checkpoint that nobody has vouched for yet: to learn which log it claims to be of.</summary>
    /// <returns>Null when the note is no checkpoint.</returns>
    public static Checkpoint? ReadUnverified(SignedNote note)
    {
        var lines = note.Text.Split('\n')[..^1];
        return lines is [{ Length: > 0 } origin, var size, var root, .. var extensions]
            && ReadNumber(size) is { } leaves
            && NoteKey.FromBase64(root) is { Length: Digest.Length } hash
            && extensions.All(line => line.Length > 0)
            ? new Checkpoint(origin, leaves, new Digest(hash))
            : null;
    }

    internal static string Base64(Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.CopyTo(bytes);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>Decimal digits without leading zeroes, at most 2^63 − 1; null for anything else.</summary>
    internal static long? ReadNumber(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number.ToString(CultureInfo.InvariantCulture) == text ? number : null;

    /// <summary>Outcome of <see cref="Open"/>. Zero is a failure, so an unset verdict is not trust.</summary>
    public enum Verdict
    {
        Malformed,
        NoTrustedSignature,
        WrongSignature,

        /// <summary>Well signed, and of another log than was asked for.</summary>
        OtherLog,
        Trusted,
    }
}
