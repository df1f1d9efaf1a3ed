using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>A proof that stands alone: a record's place, the path to the root, and the signed checkpoint with that root.</summary>
/// <param name="Checkpoint">The note as the log signed it.</param>
/// <param name="Extra">Whatever else travels with it; nobody vouches for it. Null for none.</param>
/// <remarks>Source: C2SP tlog-proof@v1; files end in <c>.tlog-proof</c>. Compares its lists by identity.</remarks>
public sealed record TlogProof(long Index, ImmutableArray<Digest> Path, ImmutableArray<byte> Checkpoint, ImmutableArray<byte>? Extra)
{
    /// <summary>A checkpoint, a path and an entry with its payload, with room to spare.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private const string Header = "c2sp.org/tlog-proof@v1", ExtraPrefix = "extra ", IndexPrefix = "index ";

    private const int MaxPath = 63;

    public byte[] Write()
    {
        var text = new StringBuilder().Append(Header).Append('\n');
        if (Extra is { } extra)
            text.Append(ExtraPrefix).Append(Convert.ToBase64String(extra.AsSpan())).Append('\n');
        text.Append(IndexPrefix).Append(Index.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Path)
            text.Append(TransparencyLog.Checkpoint.Base64(hash)).Append('\n');
        return [.. Encoding.ASCII.GetBytes(text.Append('\n').ToString()), .. Checkpoint];
    }

    /// <returns>Null when the bytes are no such proof.</returns>
    public static TlogProof? Read(ReadOnlySpan<byte> proof)
    {
        // What is before the first empty line is ASCII; what is after it is the checkpoint, byte for byte.
        var end = proof.IndexOf("\n\n"u8);
        if (proof.Length > MaxBytes || end < 0 || !Ascii.IsValid(proof[..end]))
            return null;
        var lines = Encoding.ASCII.GetString(proof[..end]).Split('\n');
        if (lines is not [Header, .. var body])
            return null;
        ImmutableArray<byte>? extra = null;
        if (body is [var first, .. var afterExtra] && first.StartsWith(ExtraPrefix, StringComparison.Ordinal))
        {
            if (NoteKey.FromBase64(first[ExtraPrefix.Length..]) is not { } bytes)
                return null;
            (extra, body) = ([.. bytes], afterExtra);
        }

        if (body is not [var place, .. { Length: <= MaxPath } hashes]
            || !place.StartsWith(IndexPrefix, StringComparison.Ordinal)
            || TransparencyLog.Checkpoint.ReadNumber(place[IndexPrefix.Length..]) is not { } index)
            return null;
        var path = ImmutableArray.CreateBuilder<Digest>();
        foreach (var hash in hashes)
        {
            if (NoteKey.FromBase64(hash) is not { Length: Digest.Length } bytes)
                return null;
            path.Add(new Digest(bytes));
        }

        return new TlogProof(index, path.DrainToImmutable(), [.. proof[(end + 2)..]], extra);
    }

    /// <summary>Checks that a record is in the log, from this proof and trusted keys alone.</summary>
    /// <param name="record">The exact bytes that were appended.</param>
    /// <param name="origin">The log that it must be in.</param>
    /// <param name="checkpoint">Null unless the verdict is <see cref="Verdict.Included"/>.</param>
    public Verdict Verify(ReadOnlySpan<byte> record, string origin, IEnumerable<NoteKey> keys, out Checkpoint? checkpoint)
    {
        if (TransparencyLog.Checkpoint.Open(Checkpoint.AsSpan(), origin, keys, out checkpoint) != TransparencyLog.Checkpoint.Verdict.Trusted)
            return Verdict.CheckpointNotTrusted;
        if (new InclusionProof(Index, checkpoint!.Size, Path).Verify(record, checkpoint.Root) == InclusionProof.Verdict.Included)
            return Verdict.Included;
        checkpoint = null;
        return Verdict.NotIncluded;
    }

    /// <summary>Outcome of <see cref="Verify"/>. Zero is a failure, so an unset verdict is not trust.</summary>
    public enum Verdict
    {
        CheckpointNotTrusted,
        NotIncluded,
        Included,
    }
}
