using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Certificates;

namespace Slipway.Cli;

/// <summary>How a verb signs a statement about a bundle and attaches it.</summary>
internal sealed class AttachOptions
{
    private readonly SignerOptions signers = new();

    private readonly Option<string?> timestamps = new("--timestamp-url") { Description = "Timestamp authority (RFC 3161) that is asked to stamp the signature, and what the key has said of the bundle before: it then counts even where the key is revoked later", HelpName = "URL" };

    private readonly Option<string?> certificate = new("--certificate") { Description = "Certificate of the signing key, in PEM; it travels with the signature, which then needs a timestamp", HelpName = "FILE" };

    public void AddTo(Command verb)
    {
        signers.AddTo(verb);
        verb.Options.Add(timestamps);
        verb.Options.Add(certificate);
    }

    /// <param name="make">The statement about the bundle that was found.</param>
    /// <exception cref="SlipwayException">No such bundle, key or certificate; the authority did not answer. Nothing is attached then.</exception>
    public async Task<int> AttachAsync(Shell shell, ParseResult parsed, string reference, Func<Digest, Statement> make, CancellationToken cancellation)
    {
        var (layout, bundle) = BundleReference.Parse(reference).Resolve(shell.Project.Bundles);
        var statement = make(bundle);
        var leaf = parsed.GetValue(certificate) is { } file ? SigningCertificate.Load(shell.PathOf(file)) : null;
        var authority = parsed.GetValue(timestamps);
        if (leaf is not null && authority is null)
            shell.Warn("a signature by a certificate counts with a trusted time only: say --timestamp-url as well");
        var signer = signers.Open(parsed, shell);
        using var closed = signer as IDisposable;
        if (leaf is not null && leaf.Key.KeyId != signer.PublicKey.KeyId)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("certificate-of-another", $"the certificate is of key {leaf.Key.KeyId[..12]}, and {signer.PublicKey.KeyId[..12]} signs", Help: "name the certificate of the key that signs"));

        var known = leaf is null && authority is null ? Attestation.Find(layout, bundle, statement, signer.PublicKey) : null;
        var attached = known;
        if (attached is null)
        {
            var signed = SignedStatement.Sign(statement, signer, leaf);
            if (authority is not null)
                signed = signed.WithTimestamp(await TimestampClient.StampAsync(authority, signed.Signature, cancellation));
            attached = Attestation.Attach(layout, bundle, signed, cancellation);
        }

        // Else the new signature would outlive the key's revocation, and what the key has said before, such as provenance, would not.
        var earlier = authority is null ? [] : Attestation.Unstamped(layout, bundle, signer.PublicKey);
        foreach (var said in earlier)
            Attestation.Attach(layout, bundle, said.WithTimestamp(await TimestampClient.StampAsync(authority!, said.Signature, cancellation)), cancellation);

        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["bundle"] = new JsonObject { ["digest"] = bundle.ToString() },
                ["attestation"] = new JsonObject { ["digest"] = attached.Digest.ToString(), ["predicateType"] = statement.PredicateType, ["key"] = signer.PublicKey.KeyId, ["new"] = known is null },
                ["stamped"] = new JsonArray([.. earlier.Select(said => (JsonNode)said.Statement.PredicateType)]),
            });
            return (int)ExitCode.Done;
        }

        shell.Out.WriteLine($"{(known is null ? "signed" : "already signed")}  {bundle}   {statement.PredicateType}   by key {signer.PublicKey.KeyId[..12]}");
        shell.Out.WriteLine($"attached  {attached.Digest}");
        foreach (var said in earlier)
            shell.Out.WriteLine($"stamped   {said.Statement.PredicateType}   which the key had signed before");
        return (int)ExitCode.Done;
    }
}
