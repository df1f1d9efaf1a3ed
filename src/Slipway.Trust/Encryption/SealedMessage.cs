using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Encryption;

/// <summary>Bytes that one key alone opens: whoever seals needs its public half, and can open nothing.</summary>
/// <remarks>
/// JSON Web Encryption in compact form, ECDH-ES on P-256 with A256GCM: any JOSE library opens it. Sources: RFC 7516, section 7.1; RFC 7518, sections
/// 4.6 and 5.3. Every message has an ephemeral key of its own, so no two share a content key.
/// </remarks>
public static class SealedMessage
{
    /// <summary>Bytes of a message's content, at most: it is held in memory whole.</summary>
    public const int MaxBytes = 32 * 1024 * 1024;

    private const string Algorithm = "ECDH-ES", Cipher = "A256GCM";

    private const int KeyBytes = 32, NonceBytes = 12, TagBytes = 16, CoordinateBytes = 32;

    /// <summary>Base64url grows by a third; the header is small.</summary>
    private const int MaxTextBytes = (MaxBytes / 3 * 4) + 4096;

    public static byte[] Seal(ReadOnlySpan<byte> content, VerificationKey recipient)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, MaxBytes);
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var point = ephemeral.ExportParameters(includePrivateParameters: false).Q;
        var header = Base64Url.EncodeToUtf8(CanonicalJson.Serialize(
            new Header(Algorithm, Cipher, new EphemeralKey("P-256", "EC", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y)), recipient.KeyId), EncryptionJson.Default.Header));
        using var other = ECDiffieHellman.Create();
        other.ImportSubjectPublicKeyInfo(recipient.Spki, out _);
        var key = ContentKey(ephemeral, other.PublicKey);

        var (nonce, sealedBytes, tag) = (RandomNumberGenerator.GetBytes(NonceBytes), new byte[content.Length], new byte[TagBytes]);
        using (var gcm = new AesGcm(key, TagBytes))
            gcm.Encrypt(nonce, content, sealedBytes, tag, header);
        CryptographicOperations.ZeroMemory(key);
        // The second part, an encrypted key, is empty: the content key is agreed upon directly.
        return [.. header, .. ".."u8, .. Base64Url.EncodeToUtf8(nonce), .. "."u8, .. Base64Url.EncodeToUtf8(sealedBytes), .. "."u8, .. Base64Url.EncodeToUtf8(tag)];
    }

    /// <summary>Id of the key that opens it, as the message itself says; null when it is no such message.</summary>
    public static string? RecipientOf(ReadOnlySpan<byte> message) =>
        message.Length <= MaxTextBytes && message.IndexOf((byte)'.') is > 0 and var dot && Read(message[..dot]) is { } header ? header.Kid : null;

    /// <exception cref="SlipwayException">It is no such message, was changed, or is for another key (exit 2).</exception>
    public static byte[] Open(ReadOnlySpan<byte> message, SigningKey key)
    {
        Span<Range> parts = stackalloc Range[6];
        if (message.Length > MaxTextBytes || Split(message, parts) != 5 || Read(message[parts[0]]) is not { } header || !message[parts[1]].IsEmpty
            || Decode(message[parts[2]]) is not { Length: NonceBytes } nonce || Decode(message[parts[3]]) is not { } sealedBytes || Decode(message[parts[4]]) is not { Length: TagBytes } tag)
            throw Unusable("sealed-malformed", $"it is no message in JWE's compact form with {Algorithm} and {Cipher}", null);
        if (header.Kid != key.PublicKey.KeyId)
            throw Unusable("sealed-for-another", $"it is sealed for the key {header.Kid}, and this key is {key.PublicKey.KeyId}", "name the private key that belongs to the gateway's capture key");
        var content = new byte[sealedBytes.Length];
        try
        {
            using var own = key.ToAgreementKey();
            using var ephemeral = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Coordinate(header.Epk.X), Y = Coordinate(header.Epk.Y) } });
            var contentKey = ContentKey(own, ephemeral.PublicKey);
            using var gcm = new AesGcm(contentKey, TagBytes);
            gcm.Decrypt(nonce, sealedBytes, tag, content, message[parts[0]]);
            CryptographicOperations.ZeroMemory(contentKey);
            return content;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            throw Unusable("sealed-changed", "it does not open: it was changed, or cut off", null);
        }
    }

    /// <summary>Concat KDF of one round. Source: RFC 7518, section 4.6.2; NIST SP 800-56A, section 5.8.1.</summary>
    /// <param name="bits">Of the key; at most SHA-256's 256.</param>
    internal static byte[] Derive(ReadOnlySpan<byte> secret, string algorithm, ReadOnlySpan<byte> partyU, ReadOnlySpan<byte> partyV, int bits)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(1);
        hash.AppendData(secret);
        AppendWithLength(hash, Encoding.ASCII.GetBytes(algorithm));
        AppendWithLength(hash, partyU);
        AppendWithLength(hash, partyV);
        Append(bits);
        return hash.GetHashAndReset()[..(bits / 8)];

        void Append(int value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bytes, value);
            hash.AppendData(bytes);
        }
    }

    private static void AppendWithLength(IncrementalHash hash, ReadOnlySpan<byte> data)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        hash.AppendData(length);
        hash.AppendData(data);
    }

    private static byte[] ContentKey(ECDiffieHellman own, ECDiffieHellmanPublicKey other)
    {
        var secret = own.DeriveRawSecretAgreement(other);
        var key = Derive(secret, Cipher, [], [], KeyBytes * 8);
        CryptographicOperations.ZeroMemory(secret);
        return key;
    }

    private static Header? Read(ReadOnlySpan<byte> encoded)
    {
        try
        {
            return Decode(encoded) is { } json && JsonSerializer.Deserialize(json, EncryptionJson.Default.Header) is { Alg: Algorithm, Enc: Cipher, Epk: { Crv: "P-256", Kty: "EC" } } header ? header : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int Split(ReadOnlySpan<byte> message, Span<Range> parts)
    {
        var count = 0;
        foreach (var part in message.Split((byte)'.'))
        {
            if (count == parts.Length)
                return count + 1;
            parts[count++] = part;
        }

        return count;
    }

    private static byte[]? Decode(ReadOnlySpan<byte> text) => Base64Url.IsValid(text) ? Base64Url.DecodeFromUtf8(text) : null;

    private static byte[] Coordinate(string text) => Base64Url.DecodeFromChars(text) is { Length: CoordinateBytes } bytes ? bytes : throw new FormatException("no coordinate of P-256");

    private static SlipwayException Unusable(string code, string message, string? help) => new(ExitCode.UnusableInput, new Fault(code, message, Help: help));
}
