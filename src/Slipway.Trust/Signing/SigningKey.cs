using System.Security.Cryptography;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Trust.Signing;

/// <summary>A private P-256 key. Signatures are ECDSA over SHA-256 in DER; each is different, so none is inside a bundle's digest.</summary>
/// <remarks>Not thread-safe; dispose it to wipe the key. Source: FIPS 186-5; PKCS#8 (RFC 5958) in PEM (RFC 7468).</remarks>
public sealed class SigningKey : ISigner, IDisposable
{
    /// <summary>OWASP's figure for PBKDF2 with HMAC-SHA-256: about a quarter of a second for each guess.</summary>
    private const int PassphraseRounds = 600_000;

    /// <summary>A key file has some 300 bytes; what is larger is something else.</summary>
    internal const int MaxFileBytes = 64 * 1024;

    private readonly ECDsa key;

    private SigningKey(ECDsa key)
    {
        this.key = key;
        PublicKey = VerificationKey.FromSpki(key.ExportSubjectPublicKeyInfo());
    }

    public VerificationKey PublicKey { get; }

    /// <summary>A new key from the operating system's generator.</summary>
    public static SigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <param name="passphrase">Null for a plain file.</param>
    /// <exception cref="SlipwayException">
    /// Exit 3: no such file, not readable, passphrase missing. Exit 2: wrong passphrase, other curve, other algorithm, no key; a file that others may read,
    /// in a folder that others may write.
    /// </exception>
    public static SigningKey Load(string file, string? passphrase = null)
    {
        var pem = KeyFile.Read(file, KeyFile.NamePrivate);
        if (PemEncoding.TryFind(pem, out var found) && pem[found.Label] is not "PUBLIC KEY")
            KeyFile.RequirePrivate(file);
        return Parse(pem, passphrase, file);
    }

    /// <param name="source">What a message calls the text: a file, or a variable.</param>
    /// <exception cref="SlipwayException">As <see cref="Load"/>.</exception>
    public static SigningKey Parse(string pem, string? passphrase, string source)
    {
        var kind = PemEncoding.TryFind(pem, out var found) ? pem[found.Label] : null;
        if (kind is "PUBLIC KEY")
            throw KeyFile.Unusable("key-is-public", $"{source} holds a public key, and the private one is needed (the file without .pub)", source, KeyFile.NamePrivate);
        if (kind is not ("PRIVATE KEY" or "ENCRYPTED PRIVATE KEY"))
            throw KeyFile.NoKey(source, kind, "a P-256 private key in PKCS#8 PEM (PRIVATE KEY or ENCRYPTED PRIVATE KEY)", KeyFile.NamePrivate);
        if (kind is "ENCRYPTED PRIVATE KEY" && passphrase is null)
            throw new SlipwayException(ExitCode.NotThere, new Fault("passphrase-missing", $"{source} is encrypted and no passphrase is given", source, Help: "set SLIPWAY_KEY_PASSPHRASE, or run it in a terminal, which asks"));

        var key = ECDsa.Create();
        try
        {
            if (kind is "PRIVATE KEY")
                key.ImportFromPem(pem);
            else
                key.ImportFromEncryptedPem(pem, passphrase);
            VerificationKey.RequireP256(key, source);
            return new SigningKey(key);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            key.Dispose();
            throw kind is "PRIVATE KEY"
                ? KeyFile.Unusable("key-unreadable", $"{source} holds no P-256 key: {e.Message}", source, KeyFile.NamePrivate)
                : KeyFile.Unusable("passphrase-wrong", $"{source} does not open with this passphrase, or holds no P-256 key", source, "type it again, or look at what SLIPWAY_KEY_PASSPHRASE holds");
        }
        catch (SlipwayException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Writes the key as PKCS#8 PEM with mode 0600 from its first byte on, and the public key beside it as <c>FILE.pub</c>.</summary>
    /// <param name="passphrase">Null writes it plain, and the public file says so; otherwise AES-256-CBC under PBKDF2 with SHA-256.</param>
    /// <exception cref="SlipwayException">A file of that name is there already (exit 2); no space, no permission (exit 3).</exception>
    public void Save(string file, string? passphrase = null)
    {
        var publicFile = file + ".pub";
        foreach (var target in (string[])[file, publicFile])
        {
            if (FileStamp.Of(target, followLinks: false) is not null)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("key-exists", "is there already and is not overwritten", target, Help: "`slipway keys new NAME` makes another key beside it"));
        }

        var pem = passphrase is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, PassphraseRounds));
        AtomicFile.CreatePrivateFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        AtomicFile.WriteSecret(file, System.Text.Encoding.ASCII.GetBytes(pem + "\n"));
        AtomicFile.Write(publicFile, System.Text.Encoding.ASCII.GetBytes(PublicKey.WithMark(passphrase is null).ToPem()));
    }

    /// <summary>The same key, to agree upon secrets with; the caller disposes it.</summary>
    internal ECDiffieHellman ToAgreementKey() => ECDiffieHellman.Create(key.ExportParameters(includePrivateParameters: true));

    /// <returns>A DER signature, 70 to 72 bytes as a rule.</returns>
    public byte[] Sign(ReadOnlySpan<byte> data) =>
        key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    public void Dispose() => key.Dispose();
}
