using System.Globalization;
using System.Security.Cryptography;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Trust.TransparencyLog;

/// <summary>A public key under the name that it signs notes by. Text form: <c>NAME+ID+BASE64</c>, the verifier key that other tools take.</summary>
/// <remarks>
/// Source: C2SP signed-note, type 0x02 (ECDSA), whose id is the first four bytes of SHA-256 over the key's SPKI; the text form is that of
/// golang.org/x/mod/sumdb/note. Immutable.
/// </remarks>
public sealed record NoteKey
{
    private const byte EcdsaType = 2;

    /// <param name="name">Not empty, without white space, control characters and plus.</param>
    /// <exception cref="FormatException">No such name.</exception>
    public NoteKey(string name, VerificationKey key)
    {
        if (!IsName(name))
            throw new FormatException($"'{name}' is no key name: it must not be empty, and holds no white space and no plus");
        (Name, Key) = (name, key);
    }

    public string Name { get; }

    public VerificationKey Key { get; }

    /// <summary>Tells the keys of one name apart; short, so it proves nothing. Eight hex digits in text.</summary>
    public uint Id => uint.Parse(Key.KeyId.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <exception cref="FormatException">Malformed, another type than ECDSA, another curve than P-256, or an id that is not the key's.</exception>
    public static NoteKey Parse(string text)
    {
        if (text.Trim().Split('+', 3) is not [var name, { Length: 8 } id, var encoded])
            throw new FormatException("expected a verifier key: NAME+ID+KEY, the id in eight hex digits, the key in base64");
        var bytes = FromBase64(encoded) ?? throw new FormatException("the verifier key's last part is not base64");
        if (bytes is not [EcdsaType, .. var spki])
            throw new FormatException($"the verifier key is of type {(bytes.Length > 0 ? bytes[0] : "none")}, expected {EcdsaType} (ECDSA)");
        try
        {
            var key = new NoteKey(name, VerificationKey.FromSpki(spki));
            return key.Id.ToString("x8", CultureInfo.InvariantCulture) == id ? key : throw new FormatException($"the verifier key says id {id}, and its key has id {key.Id:x8}");
        }
        catch (Exception e) when (e is CryptographicException or SlipwayException)
        {
            throw new FormatException($"the verifier key holds no P-256 key: {e.Message}", e);
        }
    }

    public override string ToString() => $"{Name}+{Id:x8}+{Convert.ToBase64String([EcdsaType, .. Key.Spki])}";

    public bool Equals(NoteKey? other) => other is not null && Name == other.Name && Key.KeyId == other.Key.KeyId;

    public override int GetHashCode() => HashCode.Combine(Name, Key.KeyId);

    internal static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (c == '+' || char.IsWhiteSpace(c) || char.IsControl(c))
                return false;
        }

        return !name.IsEmpty;
    }

    /// <summary>Strict: one text for one sequence of bytes. Null for anything else.</summary>
    internal static byte[]? FromBase64(string text)
    {
        var bytes = new byte[text.Length / 4 * 3];
        return Convert.TryFromBase64String(text, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == text ? bytes[..length] : null;
    }
}
