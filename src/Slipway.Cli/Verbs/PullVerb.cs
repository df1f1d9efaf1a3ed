using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Bundles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Registries;
using Slipway.Trust.Verification;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway pull SOURCE [DESTINATION]</c>.</summary>
internal static class PullVerb
{
    public static Command Build(GlobalOptions global)
    {
        var source = new Argument<string>("source") { Description = "HOST/REPOSITORY:TAG, oci:DIR:TAG, or a registered version such as flight-delay@3" };
        var destination = new Argument<string?>("destination") { Description = "oci:DIR:TAG, or a tag; default: this project's layout, under the source's tag", Arity = ArgumentArity.ZeroOrOne };
        var force = new Option<bool>("--force") { Description = "Let a tag of variants name one bundle, or a bundle's tag name variants" };
        var (trust, server, registries) = (new TrustOptions(), ServerClient.ServerOption(), new RegistryAccessOptions());
        var verb = new Command("pull", "Fetches a bundle with its attestations and verifies it; only a bundle that verified is there afterwards.\nExample: slipway pull registry.example.org/team/flight-delay:3") { source, destination, force, server };
        trust.AddTo(verb);
        registries.AddTo(verb);
        verb.SetAction((parsed, cancellation) => PullAsync(
            global.Shell(parsed), parsed.GetRequiredValue(source), parsed.GetValue(destination), trust.Read(parsed, global.Shell(parsed)), parsed.GetValue(force), registries.Of(parsed), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static async Task<int> PullAsync(Shell shell, string from, string? to, BundleTrust trusted, bool force, RegistryAccess access, string? server, CancellationToken cancellation)
    {
        if (trusted.Policy.IsEmpty)
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-trusted-key", "there is no trusted key: nothing that is pulled could be verified", Help: "name the signer's with `--key FILE.pub`; `slipway copy` fetches without verifying"));
        if (to is not null && Store.Oci.BundleReference.Parse(to).Registry is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-destination", $"{to} is in a registry, and pull fetches to this machine", Help: "`slipway copy` copies between registries"));
        using var source = await TransferSource.FindAsync(shell, from, access, server, cancellation);
        using var destination = to is null
            ? await TransferDestination.OpenAsync(shell, $"oci:{shell.Project.Bundles}", source.Tag, access, cancellation)
            : await TransferDestination.OpenAsync(shell, to, source.Tag, access, cancellation);
        var layout = ((LayoutPlace)destination.Place).Layout;
        var verified = new List<VerificationResult>();
        var (plan, report) = await BundleCopy.RunAsync(shell, source, destination, force, cancellation, (plan, arrived) =>
        {
            // The manifests' bytes are here, and in no index: nobody finds the bundle before it verified.
            var manifests = plan.Manifests.Where(manifest => layout.OpenBlob(manifest.Digest) is not { } file || Close(file)).Select(manifest => layout.AddBlob(manifest.Bytes.Span).Digest).ToArray();
            foreach (var bundle in plan.Bundles)
            {
                var result = BundleVerifier.Verify(layout, bundle.Digest, plan.AttachedTo(bundle.Digest), trusted.Policy, trusted.Evidence, cancellation);
                var problems = result.Bundle is { } whole ? BundleDocuments.Read(whole, cancellation).Problems : result.Problems;
                verified.Add(result with { Problems = problems });
            }

            if (verified.SelectMany(result => result.Problems).ToArray() is { Length: > 0 } faults)
            {
                layout.DeleteUnreferenced([.. arrived, .. manifests], cancellation);
                throw new SlipwayException(ExitCode.BadVerdict, faults);
            }
        });
        foreach (var note in verified.SelectMany(result => result.Notes))
            shell.Note("note: " + note);
        if (shell.Json)
        {
            var document = BundleCopy.Document(plan, report, source, destination);
            document["verdict"] = "pass";
            document["notes"] = new JsonArray([.. verified.SelectMany(result => result.Notes).Select(note => (JsonNode)note)]);
            shell.WriteJson(document);
            return (int)ExitCode.Done;
        }

        shell.Out.WriteLine($"verified  {plan.Root.Digest}");
        foreach (var signed in verified.SelectMany(result => result.Bundle!.Statements).Select(signed => $"{signed.Statement.PredicateType}   by key {signed.Signer.KeyId[..12]}").Distinct().Order(StringComparer.Ordinal))
            shell.Out.WriteLine($"signed    {signed}");
        BundleCopy.Tell(shell, plan, report, destination);
        return (int)ExitCode.Done;
    }

    private static bool Close(FileStream file)
    {
        file.Dispose();
        return false;
    }
}
