using System.CommandLine;
using Slipway.Documents.Datasets;
using Slipway.Documents.Specs;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway schema</c>.</summary>
internal static class SchemaVerb
{
    public static Command Build(GlobalOptions global)
    {
        var which = new Argument<string>("which") { Description = "spec or expectations", DefaultValueFactory = _ => "spec" };
        which.AcceptOnlyFromAmong("spec", "expectations");
        var verb = new Command("schema", "Prints the JSON Schema of slipway.yaml, or of an expectations file.\nExample: slipway schema > slipway.schema.json") { which };
        verb.SetAction(parsed => global.Shell(parsed).Out.WriteLine(parsed.GetValue(which) == "expectations" ? ExpectationsSchema.Json : SpecSchema.Json));
        return verb;
    }
}
