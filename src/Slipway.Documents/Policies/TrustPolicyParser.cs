using System.Collections.Immutable;
using System.Globalization;
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
    /// <param name="now">A revocation since a later moment is refused.</param>
    /// <exception cref="SlipwayException">The file, or one that it names, is missing or unusable (exit 2), or may not be read (exit 3).</exception>
    public static TrustPolicy Load(string folder, string path, DateTimeOffset now) =>
        Parse(path, UserFile.Read(folder, path, "trust-policy", "Name a trust policy file; 'slipway schema trust' prints its keys."), Path.GetDirectoryName(Path.GetFullPath(path, folder))!, now);

    /// <param name="file">What faults call it.</param>
    /// <param name="content">UTF-8, at most 1 MiB.</param>
    /// <param name="folder">Absolute path that files in it are relative to.</param>
    /// <param name="now">As above.</param>
    /// <exception cref="SlipwayException">As above.</exception>
    public static TrustPolicy Parse(string file, ReadOnlyMemory<byte> content, string folder, DateTimeOffset now)
    {
        var faults = new FaultList();
        var root = YamlTree.Read(file, content.Span, "trust policy", faults);
        var isRead = TrustGrammar.File.TryRead(root, new Label("the trust policy file", new Place(file, 1, 1)), faults, out var draft);
        faults.ThrowIfAny();
        if (!isRead || draft is null)
            throw new System.Diagnostics.UnreachableException("a trust policy was not read and no fault says why");
        var policy = new Reader(folder, now, faults).Read(draft);
        faults.ThrowIfAny();
        return policy;
    }

    /// <summary>From what stands in the file to what it means.</summary>
    private sealed class Reader(string folder, DateTimeOffset now, FaultList faults)
    {
        private readonly Dictionary<string, string> signerOfKey = new(StringComparer.Ordinal);
        private readonly List<(CertificateIdentity Identity, string Signer)> identified = [];
        private readonly HashSet<Digest> revoked = [];

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
                .OfType<CertificateIdentity>()
                .ToList();
            foreach (var identity in identities)
            {
                if (identified.FirstOrDefault(other => Overlap(other.Identity, identity)) is { Signer: { } other })
                    faults.Add(named.At, "duplicate-value", $"the identity {identity} stands twice: with {other} and with {named.Name}", "Keep one of the two, or give each its own issuer.");
                identified.Add((identity, named.Name));
            }

            return new TrustedSigner(named.Name, KeyRing.Of(keys), [.. identities]);

            // A certificate that fits both would leave open who has spoken, as a key would.
            static bool Overlap(CertificateIdentity one, CertificateIdentity two) =>
                one.Subject == two.Subject && (one.Issuer is null || two.Issuer is null || one.Issuer == two.Issuer) && one.Roots.Digests.Intersect(two.Roots.Digests).Any();
        }

        private RequiredStatement Read(RequiredDraft draft, HashSet<string> names)
        {
            foreach (var by in draft.By.Where(by => !names.Contains(by.Value)))
                faults.Add(by.At, "unknown-name", $"{Node.Quote(by.Value)} is no signer of this policy{Node.Nearest(by.Value, names)}; allowed {string.Join(", ", names.Order(StringComparer.Ordinal))}");
            return new RequiredStatement(draft.Predicate, [.. draft.By.Select(by => by.Value)]);
        }

        private Revocation? Read(RevokedDraft draft)
        {
            if ((draft.Key ?? draft.Certificate) is not { } subject || (draft.Key is not null && draft.Certificate is not null))
            {
                faults.Add(draft.At, "bad-value", "a revocation names either a key or a certificate", "Write key: and the key's id.");
                return null;
            }

            if (!revoked.Add(subject))
                faults.Add(draft.At, "duplicate-value", $"{(draft.Key is null ? "the certificate" : "the key")} {subject.Hex[..12]} is revoked twice", "Keep the one with the earlier time.");
            // Until then it would spare everything that is signed: more likely a misspelt year.
            if (draft.Since > now)
                faults.Add(draft.At, "bad-value", string.Create(CultureInfo.InvariantCulture, $"since is {draft.Since.UtcDateTime:u}, and now it is {now.UtcDateTime:u}: allowed is a time that is past"), "Write since when it may have been in other hands.");
            return new Revocation(subject, draft.Since, draft.Reason) { IsCertificate = draft.Key is null };
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
