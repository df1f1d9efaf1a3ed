using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Artifacts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway lineage REF [--of ARTIFACT]</c>: what a bundle came from.</summary>
internal static class LineageVerb
{
    private const string Text = "text", Mermaid = "mermaid";

    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var of = new Option<string?>("--of") { Description = "Only what this artifact came from and what came of it: its name, or 8 or more digits of its digest", HelpName = "ARTIFACT" };
        var format = new Option<string>("--format") { Description = "text or mermaid", HelpName = "FORMAT", DefaultValueFactory = _ => Text };
        var trust = new TrustOptions();
        var verb = new Command("lineage", "Shows what a bundle came from: every artifact by digest, and the stage that made it.\nExample: slipway lineage flight-delay --of fit.model") { reference, of, format };
        trust.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return Task.FromResult(Show(shell, parsed.GetRequiredValue(reference), parsed.GetValue(of), parsed.GetRequiredValue(format), trust.Read(parsed, shell), cancellation));
        });
        return verb;
    }

    private static int Show(Shell shell, string reference, string? of, string format, BundleTrust trust, CancellationToken cancellation)
    {
        if (format is not (Text or Mermaid))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--format is '{format}', allowed {Text} and {Mermaid}; --json writes the whole document"));
        if (format == Mermaid && shell.Json)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "both --format mermaid and --json are given, and each writes all of stdout", Help: "give one of them"));
        var (bundle, documents) = BundleAccess.Open(shell, reference, trust, cancellation).Require(shell);
        var graph = ArtifactGraph.Of(bundle, documents);
        if (of is null)
        {
            Write(shell, format, graph, () => shell.Out.Write(ArtifactTree.Ancestors(graph, graph.Nodes.Where(node => node.Kind == ArtifactNodeKind.Bundle))));
            Commits(shell, format, graph);
            return (int)ExitCode.Done;
        }

        // A file of a large snapshot is a node only where it is asked for; anything else keeps the short form.
        var full = ArtifactGraph.Of(bundle, documents, int.MaxValue);
        var found = ArtifactSearch.Find(full, of);
        if (found.Any(node => node.Kind == ArtifactNodeKind.SourceFile))
            graph = full;
        Write(shell, format, ArtifactSearch.Around(graph, found), () =>
        {
            shell.Out.WriteLine("came from");
            shell.Out.Write(ArtifactTree.Ancestors(graph, found));
            shell.Out.WriteLine("went into");
            shell.Out.Write(ArtifactTree.Descendants(graph, found));
        });
        return (int)ExitCode.Done;
    }

    private static void Write(Shell shell, string format, ArtifactGraph graph, Action text)
    {
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(graph, ArtifactJson.Default.ArtifactGraph)!);
        else if (format == Mermaid)
            shell.Out.Write(MermaidText.Write(graph));
        else
            text();
    }

    private static void Commits(Shell shell, string format, ArtifactGraph graph)
    {
        if (shell.Json || format == Mermaid)
            return;
        foreach (var origin in graph.Commits)
            shell.Out.WriteLine($"commit {origin.Commit ?? "none"}{(origin.IsDirty ? ", with changes that were not committed" : "")}{(origin.Remote is { } remote ? $", of {remote}" : "")}, run {origin.Run}");
    }
}
