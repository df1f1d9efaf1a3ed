using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Reading;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Certificates;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;

namespace Slipway.Documents.Policies;

/// <summary>Reads a trust policy file, with the keys and certificates that it names: faults with file, line and column.</summary>
public static class TrustPolicyParser
{
    private const string PemBegins = "-----BEGIN ";

    /// <param name="folder">Absolute path of the folder that <paramref name="path"/> is relative to.</param>
    /// <exception cref="SlipwayException">The file, or one that it names, is missing or unusable (exit 2), or may not be read (exit 3).</exception>
    public static TrustPolicy Load(string folder, string path) =>
        Parse(path, UserFile.Read(folder, path, "trust-policy", "Name a trust policy file; 'slipway schema trust' prints its keys."), Path.GetDirectoryName(Path.GetFullPath(path, folder))!);

    /// <param name="file">What faults call it.</param>
    /// <param name="content">UTF-8, at most 1 MiB.</param>
    /// <param name="folder">Absolute path that files in it are relative to.</param>
    /// <exception cref="SlipwayException">As above.</exception>
    public static TrustPolicy Parse(string file, ReadOnlyMemory<byte> content, string folder)
    {
        var faults = new FaultList();
        var root = YamlTree.Read(file, content.Span, "trust policy", faults);
        var isRead = TrustGrammar.File.TryRead(root, new Label("the trust policy file", new Place(file, 1, 1)), faults, out var draft);
        faults.ThrowIfAny();
        if (!isRead || draft is null)
            throw new System.Diagnostics.UnreachableException("a trust policy was not read and no fault says why");
        var policy = new Reader(folder, faults).Read(draft);
        faults.ThrowIfAny();
        return policy;
    }

    /// <summary>From what stands in the file to what it means.</summary>
    private sealed class Reader(string folder, FaultList faults)
    {
        private readonly Dictionary<string, string> signerOfKey = new(StringComparer.Ordinal);

        public TrustPolicy Read(TrustDraft draft)
        {
            var names = draft.Signers.Select(signer => signer.Name).ToHashSet(StringComparer.Ordinal);
            return new TrustPolicy
            {
                Signers = [.. draft.Signers.Select(ReadSigner)],
                Required = draft.Require is { } required ? [.. required.Select(statement => Read(statement, names))] : [new RequiredStatement(TrustPolicy.Provenance, [])],
                Revoked = [.. draft.Revoked.Select(Read).OfType<Revocation>()],
                TimestampAuthorities = [.. draft.Authorities.Select(ReadRoots).OfType<CertificateRoots>()],
                Ledgers = draft.Ledgers,
            };
        }

        private TrustedSigner ReadSigner(Named<SignerDraft> named)
        {
            var signer = named.Value!;
            if (signer.Keys.IsEmpty && signer.Certificates.IsEmpty)
                faults.Add(named.At, "missing-key", $"the signer {named.Name} has neither keys nor certificates, and could sign nothing", "Write keys: [FILE.pub].");
            var keys = signer.Keys.Select(key => ReadPem(key, (pem, file) => VerificationKey.Parse(pem, file))).OfType<VerificationKey>().ToList();
            // A key of two signers would leave open who of them has spoken.
            foreach (var key in keys.Where(key => !signerOfKey.TryAdd(key.KeyId, named.Name)))
                faults.Add(named.At, "duplicate-value", $"the key {key.KeyId[..12]} stands twice: with {signerOfKey[key.KeyId]} and with {named.Name}", "Keep one of the two.");
            var identities = signer.Certificates
                .Select(draft => ReadRoots(draft.Roots) is { } roots ? new CertificateIdentity(roots, draft.Identity, draft.Issuer) : null)
                .OfType<CertificateIdentity>();
            return new TrustedSigner(named.Name, KeyRing.Of(keys), [.. identities]);
        }

        private RequiredStatement Read(RequiredDraft draft, HashSet<string> names)
        {
            foreach (var by in draft.By.Where(by => !names.Contains(by.Value)))
                faults.Add(by.At, "unknown-name", $"{Node.Quote(by.Value)} is no signer of this policy{Node.Nearest(by.Value, names)}; allowed {string.Join(", ", names.Order(StringComparer.Ordinal))}");
            return new RequiredStatement(draft.Predicate, [.. draft.By.Select(by => by.Value)]);
        }

        private Revocation? Read(RevokedDraft draft)
        {
            if ((draft.Key ?? draft.Certificate) is { } subject && (draft.Key is null || draft.Certificate is null))
                return new Revocation(subject, draft.Since, draft.Reason);
            faults.Add(draft.At, "bad-value", "a revocation names either a key or a certificate", "Write key: and the key's id.");
            return null;
        }

        private CertificateRoots? ReadRoots(Placed<string> text) => ReadPem(text, CertificateRoots.Parse);

        private T? ReadPem<T>(Placed<string> text, Func<string, string, T> read) where T : class
        {
            try
            {
                return text.Value.Contains(PemBegins, StringComparison.Ordinal)
                    ? read(text.Value, "the PEM here")
                    : read(Encoding.Latin1.GetString(UserFile.Read(folder, text.Value, "trusted", "Name a file beside the policy, or write the PEM itself.")), text.Value);
            }
            catch (SlipwayException e)
            {
                foreach (var fault in e.Faults)
                    faults.Add(text.At, fault.Code, fault.Message, fault.Help);
                return null;
            }
        }
    }
}
