using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Bundles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;
using Slipway.Trust.Verification;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway pull SOURCE [DESTINATION]</c>.</summary>
internal static class PullVerb
{
    public static Command Build(GlobalOptions global)
    {
        var source = new Argument<string>("source") { Description = "HOST/REPOSITORY:TAG, oci:DIR:TAG, or a registered version such as flight-delay@3" };
        var destination = new Argument<string?>("destination")
        {
            Description = "oci:DIR:TAG, or a tag; default: this project's layout, under the source's tag",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var (force, server) = (CopyVerb.ForceOption(), ServerClient.ServerOption());
        var (trust, registries) = (new TrustOptions(), new RegistryAccessOptions());
        var verb = new Command(
            "pull",
            "Fetches a bundle with its attestations and verifies it; only a bundle that verified is there afterwards.\n"
            + "Example: slipway pull registry.example.org/team/flight-delay:3") { source, destination, force, server };
        trust.AddTo(verb);
        registries.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var (from, to) = (parsed.GetRequiredValue(source), parsed.GetValue(destination));
            return PullAsync(shell, from, to, trust.Read(parsed, shell), parsed.GetValue(force), registries.Of(parsed), parsed.GetValue(server), cancellation);
        });
        return verb;
    }

    private static async Task<int> PullAsync(
        Shell shell, string from, string? to, BundleTrust trust, bool force, RegistryAccess access, string? server, CancellationToken cancellation)
    {
        if (trust.Policy.IsEmpty)
            throw new SlipwayException(ExitCode.NotThere, new Fault(
                "no-trusted-key", "there is no trusted key: nothing that is pulled could be verified",
                Help: "name the signer's with `--key FILE.pub`; `slipway copy` fetches without verifying"));
        if (to is not null && BundleReference.Parse(to).Registry is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-destination", $"{to} is in a registry, and pull fetches to this machine", Help: "`slipway copy` copies between registries"));
        using var source = await TransferSource.FindAsync(shell, from, access, server, cancellation);
        using var destination = await TransferDestination.OpenAsync(shell, to ?? $"oci:{shell.Project.Bundles}", source.Tag, access, cancellation, keepsTags: true);
        var layout = ((LayoutPlace)destination.Place).Layout;
        var results = new List<VerificationResult>();
        var refused = new List<Digest>();
        (TransferPlan Plan, TransferReport Report) copied;
        try
        {
            copied = await BundleCopy.RunAsync(shell, source, destination, force, cancellation, (plan, arrived) =>
            {
                refused.AddRange([.. arrived, .. plan.Manifests.Select(manifest => manifest.Digest)]);
                results.AddRange(Judge(layout, plan, trust, cancellation));
                refused.Clear();
            });
        }
        catch (SlipwayException) when (refused.Count > 0)
        {
            // Only now, when the right to write is given back. Where another command is writing here, `slipway gc` finds what is left.
            layout.DeleteUnreferenced(refused, CancellationToken.None);
            throw;
        }

        var (plan, report) = copied;
        foreach (var note in results.SelectMany(result => result.Notes))
            shell.Note("note: " + note);
        if (shell.Json)
        {
            var document = BundleCopy.Document(plan, report, source, destination);
            document["verdict"] = "pass";
            document["verified"] = new JsonArray([.. plan.Bundles.Select(bundle => (JsonNode)bundle.Digest.ToString())]);
            document["notes"] = new JsonArray([.. results.SelectMany(result => result.Notes).Select(note => (JsonNode)note)]);
            shell.WriteJson(document);
            return (int)ExitCode.Done;
        }

        foreach (var bundle in plan.Bundles)
            shell.Out.WriteLine($"verified  {bundle.Digest}{Variants(plan.Root.Index, bundle.Digest)}");
        if (plan.Root.Index is not null)
            shell.Out.WriteLine($"list      {plan.Root.Digest}   of these variants; it bears no signature itself");
        var signed = results.SelectMany(result => result.Bundle!.Statements).Select(each => $"{each.Statement.PredicateType}   by {VerifyVerb.Signer(each)}");
        foreach (var line in signed.Distinct().Order(StringComparer.Ordinal))
            shell.Out.WriteLine($"signed    {line}");
        BundleCopy.Tell(shell, plan, report, destination, "received");
        var variant = plan.Root.Index is { Variants: [var one, ..] } ? "#" + one : "";
        shell.Out.WriteLine($"next      slipway verify {(to is null ? destination.Tag ?? plan.Root.Digest.ToString() : destination.Text)}{variant}");
        return (int)ExitCode.Done;
    }

    /// <summary>Under which names a list has a bundle.</summary>
    private static string Variants(OciIndex? list, Digest bundle) =>
        string.Concat((list?.Variants ?? []).Where(variant => list!.Has(variant, bundle)).Select(variant => "  #" + variant));

    /// <summary>Verifies every bundle of the plan while its content is here, and listed in no index: nobody finds a bundle before it verified.</summary>
    /// <exception cref="SlipwayException">One of them does not verify, or there is none (exit 1).</exception>
    private static List<VerificationResult> Judge(OciLayout layout, TransferPlan plan, BundleTrust trust, CancellationToken cancellation)
    {
        foreach (var manifest in plan.Manifests)
            layout.AddBlob(manifest.Bytes.Span);
        var results = new List<VerificationResult>();
        var faults = new List<Fault>();
        if (!plan.Bundles.Any())
            throw new SlipwayException(ExitCode.BadVerdict, new Fault(
                "no-bundle", $"{plan.Root.Digest} names no bundle: it is a list of nothing, and there is nothing to verify",
                Help: "`slipway tags` lists what else the place has; ask who pushed it"));
        foreach (var bundle in plan.Bundles)
        {
            var result = BundleVerifier.Verify(layout, bundle.Digest, plan.AttachedTo(bundle.Digest), trust.Policy, trust.Evidence, cancellation);
            faults.AddRange(result.Bundle is { } whole ? BundleDocuments.Read(whole, cancellation).Problems : result.Problems);
            results.Add(result);
        }

        return faults.Count == 0 ? results : throw new SlipwayException(ExitCode.BadVerdict, faults);
    }
}
