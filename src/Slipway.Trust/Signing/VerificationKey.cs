using System.Formats.Asn1;
using System.Security.Cryptography;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Trust.Signing;

/// <summary>A public P-256 key. Immutable and thread-safe.</summary>
public sealed class VerificationKey
{
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Explanatory text before the PEM block (RFC 7468, section 2), which other readers skip.</summary>
    private const string UnprotectedMark = "Slipway: the private key was made without a passphrase";

    /// <summary>Bytes of a number below the order of P-256.</summary>
    private const int IntegerBytes = 32;

    private readonly byte[] spki;

    private VerificationKey(byte[] spki)
    {
        this.spki = spki;
        var digest = Digest.Of(spki);
        KeyId = digest.Hex;
        Span<byte> hash = stackalloc byte[Digest.Length];
        digest.CopyTo(hash);
        Hint = Convert.ToBase64String(hash);
    }

    /// <summary>SHA-256 of the SPKI DER, 64 lowercase hex digits.</summary>
    public string KeyId { get; }

    /// <summary>The same hash in base64: how cosign names a key in a bundle.</summary>
    public string Hint { get; }

    /// <summary>Whether its file says that the private key was made without a passphrase. Nobody vouches for the contrary: the line can be taken out.</summary>
    public bool IsUnprotected { get; private init; }

    /// <summary>The key id that a hint in base64 stands for: what people see everywhere else. Null when it is no such hint.</summary>
    internal static string? IdOf(string hint)
    {
        Span<byte> hash = stackalloc byte[Digest.Length];
        return Convert.TryFromBase64String(hint, hash, out var length) && length == Digest.Length ? Convert.ToHexStringLower(hash) : null;
    }

    /// <exception cref="SlipwayException">No such file (exit 3); no P-256 public key in SPKI PEM (exit 2).</exception>
    public static VerificationKey Load(string file) => Parse(KeyFile.Read(file, KeyFile.NamePublic), file);

    /// <param name="file">What a message calls the text.</param>
    /// <exception cref="SlipwayException">No P-256 public key in SPKI PEM (exit 2).</exception>
    public static VerificationKey Parse(string pem, string file)
    {
        var kind = PemEncoding.TryFind(pem, out var found) ? pem[found.Label] : null;
        if (kind is "PRIVATE KEY" or "ENCRYPTED PRIVATE KEY" or "EC PRIVATE KEY")
            throw KeyFile.Unusable("key-is-private", $"{file} holds a private key, and the public one is needed (FILE.pub)", file, KeyFile.NamePublic);
        if (kind is not "PUBLIC KEY")
            throw KeyFile.NoKey(file, kind, "a P-256 public key in SPKI PEM (PUBLIC KEY)", KeyFile.NamePublic);
        try
        {
            var key = FromSpki(Convert.FromBase64String(pem[found.Base64Data]), file);
            var isMarked = pem.AsSpan(0, found.Location.Start.GetOffset(pem.Length)).Contains(UnprotectedMark, StringComparison.Ordinal);
            return key.WithMark(isMarked);
        }
        catch (CryptographicException e)
        {
            throw KeyFile.Unusable("key-unreadable", $"{file} holds no P-256 key: {e.Message}", file, KeyFile.NamePublic);
        }
    }

    /// <summary>Whether this key made the signature over the data. Malformed signatures are an ordinary no.</summary>
    /// <param name="signature">DER, strictly: one encoding per signature.</param>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Span<byte> pair = stackalloc byte[2 * IntegerBytes];
        if (!TryReadDer(signature, pair))
            return false;
        using var key = Import(spki);
        return key.VerifyData(data, pair, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>The key in SPKI DER.</summary>
    internal ReadOnlySpan<byte> Spki => spki;

    internal VerificationKey WithMark(bool isUnprotected) => isUnprotected == IsUnprotected ? this : new(spki) { IsUnprotected = isUnprotected };

    public string ToPem() => (IsUnprotected ? UnprotectedMark + "\n" : "") + PemEncoding.WriteString("PUBLIC KEY", spki) + "\n";

    /// <exception cref="CryptographicException">No public key.</exception>
    internal static VerificationKey FromSpki(byte[] spki, string file = "the key")
    {
        using var key = Import(spki);
        RequireP256(key, file);
        // One key has one id: the compressed form of the same point, or trailing bytes, would give another.
        return new VerificationKey(key.ExportSubjectPublicKeyInfo());
    }

    internal static void RequireP256(ECDsa key, string file)
    {
        var curve = key.ExportParameters(false).Curve;
        if (!curve.IsNamed || curve.Oid.Value != P256)
            throw KeyFile.Unusable("key-wrong-curve", $"{file} is a key on {(curve.IsNamed ? curve.Oid.FriendlyName : "a curve given by its parameters")}, expected P-256", file, "keys that sign bundles are on P-256; `slipway keys new` makes such a pair");
    }

    /// <summary>Reads r and s here, because the native library takes a negative integer for the positive one of the same bytes.</summary>
    private static bool TryReadDer(ReadOnlySpan<byte> signature, Span<byte> pair)
    {
        try
        {
            AsnDecoder.ReadSequence(signature, AsnEncodingRules.DER, out var start, out var length, out var all);
            if (all != signature.Length)
                return false;
            var body = signature.Slice(start, length);
            var r = AsnDecoder.ReadIntegerBytes(body, AsnEncodingRules.DER, out var first);
            var s = AsnDecoder.ReadIntegerBytes(body[first..], AsnEncodingRules.DER, out var second);
            return first + second == body.Length && TryPlace(r, pair[..IntegerBytes]) && TryPlace(s, pair[IntegerBytes..]);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static bool TryPlace(ReadOnlySpan<byte> integer, Span<byte> field)
    {
        if ((integer[0] & 0x80) != 0)
            return false;
        var digits = integer.TrimStart((byte)0);
        if (digits.Length > field.Length)
            return false;
        field.Clear();
        digits.CopyTo(field[(field.Length - digits.Length)..]);
        return true;
    }

    private static ECDsa Import(byte[] spki)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(spki, out var read);
            return read == spki.Length ? key : throw new CryptographicException("bytes follow the key");
        }
        catch (PlatformNotSupportedException e)
        {
            key.Dispose();
            throw new CryptographicException("it is on a curve that is not known here", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
