using System.CommandLine;
using Slipway.Documents.Datasets;
using Slipway.Documents.Policies;
using Slipway.Documents.Specs;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway schema</c>.</summary>
internal static class SchemaVerb
{
    public static Command Build(GlobalOptions global)
    {
        var which = new Argument<string>("which") { Description = "spec, expectations, policy or trust", DefaultValueFactory = _ => "spec" };
        which.AcceptOnlyFromAmong("spec", "expectations", "policy", "trust");
        var verb = new Command("schema", "Prints the JSON Schema of slipway.yaml, of an expectations file, of a server's policy, or of a trust policy.\nExample: slipway schema > slipway.schema.json") { which };
        verb.SetAction(parsed => global.Shell(parsed).Out.WriteLine(parsed.GetValue(which) switch
        {
            "expectations" => ExpectationsSchema.Json,
            "policy" => PolicySchema.Json,
            "trust" => TrustSchema.Json,
            _ => SpecSchema.Json,
        }));
        return verb;
    }
}
