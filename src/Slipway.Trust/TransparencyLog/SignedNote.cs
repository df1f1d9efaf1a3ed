using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Slipway.Trust.Signing;

namespace Slipway.Trust.TransparencyLog;

/// <summary>Text with signatures below it, each by a named key. Not believed before <see cref="Verify"/>.</summary>
/// <param name="Text">Ends with a newline; that is signed, and the blank line after it is not.</param>
/// <remarks>Source: C2SP signed-note. Immutable; compares its signatures by identity.</remarks>
public sealed record SignedNote(string Text, ImmutableArray<NoteSignature> Signatures)
{
    /// <summary>Ours have some 300 bytes; this leaves room for 16 signatures of the largest kind, which every reader must take.</summary>
    public const int MaxBytes = 256 * 1024;

    private const string SignaturePrefix = "— ";

    private const int IdBytes = 4;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <returns>Null when the bytes are no note: not UTF-8, with control characters, without signatures, or too many.</returns>
    public static SignedNote? Read(ReadOnlySpan<byte> note)
    {
        if (note.Length > MaxBytes || Decode(note) is not { } text || text.Any(c => c < ' ' && c != '\n') || !text.EndsWith('\n'))
            return null;
        var end = text.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0)
            return null;
        var signatures = ImmutableArray.CreateBuilder<NoteSignature>();
        foreach (var line in text[(end + 2)..].Split('\n')[..^1])
        {
            if (ReadSignature(line) is not { } signature)
                return null;
            signatures.Add(signature);
        }

        return signatures.Count == 0 ? null : new SignedNote(text[..(end + 1)], signatures.DrainToImmutable());
    }

    /// <summary>Signs a text and gives the whole note.</summary>
    /// <param name="text">Ends with a newline, and holds no other control character.</param>
    public static byte[] Sign(string text, string keyName, SigningKey key)
    {
        var signed = StrictUtf8.GetBytes(text);
        var signature = key.Sign(signed);
        var line = new byte[IdBytes + signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(line, new NoteKey(keyName, key.PublicKey).Id);
        signature.CopyTo(line, IdBytes);
        return [.. signed, .. StrictUtf8.GetBytes($"\n{SignaturePrefix}{keyName} {Convert.ToBase64String(line)}\n")];
    }

    /// <summary>Checks the signatures of the keys that are trusted, and ignores all others.</summary>
    /// <param name="trusted">Keys of one name and id must be the same key.</param>
    public Verdict Verify(params IEnumerable<NoteKey> trusted)
    {
        var text = StrictUtf8.GetBytes(Text);
        var known = trusted.Distinct().ToDictionary(key => (key.Name, key.Id));
        var verdict = Verdict.NoTrustedSignature;
        foreach (var signature in Signatures)
        {
            if (!known.TryGetValue((signature.KeyName, signature.KeyId), out var key))
                continue;
            if (!key.Key.Verify(text, signature.Signature.AsSpan()))
                return Verdict.WrongSignature;
            verdict = Verdict.Signed;
        }

        return verdict;
    }

    private static NoteSignature? ReadSignature(string line)
    {
        if (!line.StartsWith(SignaturePrefix, StringComparison.Ordinal) || line[SignaturePrefix.Length..].Split(' ') is not [var name, var encoded])
            return null;
        return NoteKey.IsName(name) && NoteKey.FromBase64(encoded) is { Length: > IdBytes } bytes
            ? new NoteSignature(name, BinaryPrimitives.ReadUInt32BigEndian(bytes), [.. bytes[IdBytes..]])
            : null;
    }

    private static string? Decode(ReadOnlySpan<byte> note)
    {
        try
        {
            return StrictUtf8.GetString(note);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Outcome of <see cref="Verify"/>. Zero is a failure, so an unset verdict is not trust.</summary>
    public enum Verdict
    {
        /// <summary>No trusted key has signed.</summary>
        NoTrustedSignature,

        /// <summary>A signature says that it is a trusted key's, and is not.</summary>
        WrongSignature,

        /// <summary>At least one trusted key has signed, and no signature in a trusted key's name is wrong.</summary>
        Signed,
    }
}

/// <param name="KeyId">Of the key, by which those of one name are told apart.</param>
public sealed record NoteSignature(string KeyName, uint KeyId, ImmutableArray<byte> Signature);
