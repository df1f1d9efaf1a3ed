using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway verify REF</c>.</summary>
internal static class VerifyVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var keys = BundleAccess.KeyOption();
        var verb = new Command("verify", "Checks a bundle against trusted keys: manifest, signatures, every blob, then its documents.\nExample: slipway verify flight-delay") { reference, keys };
        verb.SetAction((parsed, cancellation) => Task.FromResult(Verify(global.Shell(parsed), parsed.GetRequiredValue(reference), parsed.GetValue(keys) ?? [], cancellation)));
        return verb;
    }

    private static int Verify(Shell shell, string reference, string[] keys, CancellationToken cancellation)
    {
        var opened = BundleAccess.Open(shell, reference, keys, cancellation);
        var verdict = opened.Bundle is { } bundle ? GateVerdict.Find(bundle) : null;
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["verdict"] = opened.Bundle is null ? "fail" : "pass",
                ["bundle"] = new JsonObject { ["digest"] = opened.Digest.ToString() },
                ["reasons"] = new JsonArray([.. opened.Problems.Select(problem => (JsonNode)problem.ToString())]),
                ["faults"] = new JsonArray([.. opened.Problems.Select(Shell.Render)]),
                ["notes"] = new JsonArray([.. opened.Notes.Select(note => (JsonNode)note)]),
                ["gates"] = verdict?.Report.Verdict.Word(),
            });
        }
        else
        {
            foreach (var note in opened.Notes)
                shell.Note("note: " + note);
            if (opened.Bundle is null)
                return shell.Report(new SlipwayException(ExitCode.BadVerdict, opened.Problems));
            shell.Out.WriteLine($"verified  {opened.Digest}");
            shell.Out.WriteLine($"layers    {string.Join(", ", opened.Bundle.Layers.Select(layer => layer.Path))}");
            foreach (var signed in opened.Bundle.Statements.OrderBy(signed => signed.Statement.PredicateType, StringComparer.Ordinal))
                shell.Out.WriteLine($"signed    {signed.Statement.PredicateType}   by key {signed.Signer.KeyId[..12]}");
            shell.Out.WriteLine(verdict is null ? "gates     no trusted key has attested a verdict" : $"gates     {verdict.Report.Verdict.Word()}");
        }

        return (int)(opened.Bundle is null ? ExitCode.BadVerdict : ExitCode.Done);
    }
}
