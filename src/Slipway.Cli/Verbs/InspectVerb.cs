using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Cards;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway inspect REF</c>: what a bundle is. One that does not verify is not shown.</summary>
internal static class InspectVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var trust = new TrustOptions();
        var card = new Option<bool>("--card") { Description = "Write the model card, as Markdown" };
        var html = new Option<bool>("--card-html") { Description = "Write the model card as one HTML page with its plots" };
        var verb = new Command("inspect", "Shows what a bundle is: who signed it, from which data and commit, how good it is, what it needs.\nExample: slipway inspect flight-delay --card-html > card.html") { reference, card, html };
        trust.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return Task.FromResult(Show(shell, parsed.GetRequiredValue(reference), trust.Read(parsed, shell), parsed.GetValue(card), parsed.GetValue(html), cancellation));
        });
        return verb;
    }

    private static int Show(Shell shell, string reference, BundleTrust trust, bool card, bool html, CancellationToken cancellation)
    {
        if ((card ? 1 : 0) + (html ? 1 : 0) + (shell.Json ? 1 : 0) > 1)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "more than one of --card, --card-html and --json is given, and each writes all of stdout", Help: "give one of them"));
        var (bundle, documents) = BundleAccess.Open(shell, reference, trust, cancellation).Require(shell);
        var shown = BundleCard.Of(bundle, documents);
        if (card)
            shell.Out.Write(MarkdownCard.Write(shown));
        else if (html)
            shell.Out.Write(HtmlCard.Write(shown));
        else if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(shown, CardJson.Default.BundleCard)!);
        else
            InspectText.Write(new TextPage(shell), shown);
        return (int)ExitCode.Done;
    }
}
