using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Statements;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway verify REF</c>.</summary>
internal static class VerifyVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var (trust, signers) = (new TrustOptions(), new SignerOptions("--sign-key"));
        var attest = new Option<bool>("--attest") { Description = "Sign what came of it, good or bad, as a SLSA verification summary, and attach it" };
        var verb = new Command("verify", "Checks a bundle against trusted keys or a trust policy: manifest, signatures, every blob, then its documents.\nExample: slipway verify flight-delay") { reference };
        trust.AddTo(verb);
        verb.Options.Add(attest);
        signers.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var believed = trust.Read(parsed, shell);
            // Before the bundle is read, not after it: a summary that cannot be signed is no reason to hash it first.
            var signer = parsed.GetValue(attest) ? signers.Open(parsed, shell) : null;
            using var closed = signer as IDisposable;
            return Task.FromResult(Verify(shell, parsed.GetRequiredValue(reference), believed, signer, cancellation));
        });
        return verb;
    }

    private static int Verify(Shell shell, string reference, BundleTrust trust, ISigner? signer, CancellationToken cancellation)
    {
        var opened = BundleAccess.Open(shell, reference, trust, cancellation);
        var summary = signer is null ? null : Attest(opened, reference, trust.Policy, signer, TimeProvider.System.GetUtcNow(), cancellation);
        var verdict = opened.Bundle is { } bundle ? GateVerdict.Find(bundle) : null;
        if (shell.Json)
        {
            shell.WriteJson(ToJson(opened, trust, verdict, summary));
        }
        else
        {
            foreach (var note in opened.Notes)
                shell.Note("note: " + note);
            if (opened.Bundle is null)
                return shell.Report(new SlipwayException(ExitCode.BadVerdict, opened.Problems));
            Tell(shell, opened.Bundle, trust);
            shell.Out.WriteLine(verdict is null ? "gates     no trusted key has attested a verdict" : $"gates     {verdict.Report.Verdict.Word()}");
            if (summary is not null)
                shell.Out.WriteLine($"attested  {VerificationSummary.PredicateType}   by key {signer!.PublicKey.KeyId[..12]}");
        }

        return (int)(opened.Bundle is null ? ExitCode.BadVerdict : ExitCode.Done);
    }

    private static void Tell(Shell shell, VerifiedBundle bundle, BundleTrust trust)
    {
        shell.Out.WriteLine($"verified  {bundle.Digest}");
        shell.Out.WriteLine($"layers    {string.Join(", ", bundle.Layers.Select(layer => layer.Path))}");
        shell.Out.WriteLine($"policy    {(trust.File is { } file ? $"{file} ({trust.Policy.Digest.Short})" : $"{trust.Policy.Signers.Length} trusted {(trust.Policy.Signers.Length == 1 ? "key" : "keys")}")}");
        foreach (var required in trust.Policy.Required)
            shell.Out.WriteLine($"wanted    {required.PredicateType}   by {(required.By.IsEmpty ? "any of them" : string.Join(" or ", required.By))}");
        foreach (var signed in bundle.Statements.OrderBy(signed => signed.Statement.PredicateType, StringComparer.Ordinal))
            shell.Out.WriteLine($"signed    {signed.Statement.PredicateType}   by {Signer(signed)}{(signed.Time is { } time ? $"   before {StatementJson.Time(time.At)}, says {time.By}" : "")}");
    }

    /// <summary>Who signed, as people know them.</summary>
    internal static string Signer(VerifiedStatement signed)
    {
        var key = signed.Signer.KeyId[..12];
        return signed.Identity is { } identity ? $"{signed.Name}, {identity}" : signed.Name == key ? $"key {key}" : $"{signed.Name}, key {key}";
    }

    /// <summary>Signs what came of it, about what was verified: the tag may name another bundle meanwhile.</summary>
    /// <param name="reference">What the statement's subject is called.</param>
    internal static OciDescriptor Attest(BundleAccess opened, string reference, TrustPolicy policy, ISigner signer, DateTimeOffset now, CancellationToken cancellation)
    {
        var summary = VerificationSummary.Of(opened.Digest, opened.Bundle?.Statements, policy.Digest, signer.PublicKey, Program.Version, now);
        return Attestation.Attach(opened.Layout, opened.Digest, Statement.About(opened.Digest, reference, VerificationSummary.PredicateType, summary.ToJson()), signer, cancellation);
    }

    private static JsonObject ToJson(BundleAccess opened, BundleTrust trust, GateVerdict? verdict, OciDescriptor? summary) => new()
    {
        ["verdict"] = opened.Bundle is null ? "fail" : "pass",
        ["bundle"] = new JsonObject { ["digest"] = opened.Digest.ToString() },
        ["reasons"] = new JsonArray([.. opened.Problems.Select(problem => (JsonNode)problem.ToString())]),
        ["faults"] = new JsonArray([.. opened.Problems.Select(Shell.Render)]),
        ["notes"] = new JsonArray([.. opened.Notes.Select(note => (JsonNode)note)]),
        ["gates"] = verdict?.Report.Verdict.Word(),
        ["policy"] = new JsonObject
        {
            ["file"] = trust.File,
            ["digest"] = trust.Policy.Digest.ToString(),
            ["require"] = new JsonArray([.. trust.Policy.Required.Select(required => (JsonNode)new JsonObject { ["predicate"] = required.PredicateType, ["by"] = new JsonArray([.. required.By.Select(by => (JsonNode)by)]) })]),
        },
        ["statements"] = new JsonArray([.. (opened.Bundle?.Statements ?? []).Select(ToJson)]),
        ["summary"] = summary?.Digest.ToString(),
    };

    private static JsonNode ToJson(VerifiedStatement signed) => new JsonObject
    {
        ["attestation"] = signed.Manifest.ToString(),
        ["predicate"] = signed.Statement.PredicateType,
        ["signer"] = new JsonObject { ["name"] = signed.Name, ["key"] = signed.Signer.KeyId, ["identity"] = signed.Identity?.Subject, ["issuer"] = signed.Identity?.Issuer },
        ["time"] = signed.Time is { } time ? new JsonObject { ["at"] = StatementJson.Time(time.At), ["by"] = time.By } : null,
    };
}
