using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Artifacts;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway dag [STAGE]</c>: the pipeline as a graph, from the spec alone.</summary>
internal static class DagVerb
{
    private const string Text = "text", Mermaid = "mermaid", Dot = "dot";

    public static Command Build(GlobalOptions global)
    {
        var stage = new Argument<string?>("stage") { Description = "Only this stage and what it needs; default: all", Arity = ArgumentArity.ZeroOrOne };
        var format = new Option<string>("--format") { Description = "text, mermaid or dot", HelpName = "FORMAT", DefaultValueFactory = _ => Text };
        var verb = new Command("dag", "Shows what each stage takes in and makes, in the order in which they run.\nExample: slipway dag --format mermaid") { stage, format };
        verb.SetAction(parsed => Show(global.Shell(parsed), parsed.GetValue(stage), parsed.GetRequiredValue(format)));
        return verb;
    }

    private static int Show(Shell shell, string? upTo, string format)
    {
        if (format is not (Text or Mermaid or Dot))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--format is '{format}', allowed {Text}, {Mermaid} and {Dot}; --json writes a document"));
        if (format != Text && shell.Json)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"both --format {format} and --json are given, and each writes all of stdout", Help: "give one of them"));
        var spec = shell.LoadSpec();
        var graph = StageGraph.Of(spec, ExecutionPlan.Of(spec, upTo).Stages.Select(planned => planned.Stage));
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(graph, ArtifactJson.Default.StageGraph)!);
        else
            shell.Out.Write(format switch { Mermaid => StageGraphText.Mermaid(graph), Dot => StageGraphText.Dot(graph), _ => StageGraphText.Plain(graph) });
        return (int)ExitCode.Done;
    }
}
