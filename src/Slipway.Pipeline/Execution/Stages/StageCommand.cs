using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Processes;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>The exact command and environment of a stage. Nothing of the user's own environment is in it.</summary>
internal static class StageCommand
{
    public static ChildCommand Of(StepKeyDocument step, StageFolder folder, IReadOnlyList<string> sqlProgram, string log, IReadOnlyDictionary<string, string> secrets)
    {
        var environment = Environment(step, folder);
        foreach (var (name, value) in secrets)
            environment.Add(name, value);
        if (step.Run is not { } run)
        {
            // A framework-dependent program finds its runtime here; it is the one that runs now.
            environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
            return new ChildCommand([.. sqlProgram, folder.RequestFile], folder.Root, environment, log, log);
        }

        // A shell's own line gets its params as variables, which no quoting can break.
        IReadOnlyList<string> arguments = IsShellLine(run)
            ? [run[0], run[1], WithVariables(run[2], step.Params, environment), .. run[3..]]
            : [.. run.Select(argument => ParamReferences.Fill(argument, name => StageParams.Text(step.Params[name])))];
        return new ChildCommand(arguments, folder.Root, environment, log, log);
    }

    private static Dictionary<string, string> Environment(StepKeyDocument step, StageFolder folder)
    {
        var variables = EncapsulatedVariables.Of(folder.Home, folder.Temporary, step.Threads, step.Seed, step.Environment is not null);
        variables["SOURCE_DATE_EPOCH"] = step.Epoch.ToString();
        variables["SLIPWAY_SEED"] = step.Seed.ToString();
        variables["SLIPWAY_STAGE"] = folder.StageFile;
        variables["SLIPWAY_INPUTS"] = folder.Inputs;
        return variables;
    }

    private static bool IsShellLine(IReadOnlyList<string> run) =>
        run.Count >= 3 && Path.GetFileName(run[0]) is "sh" or "bash" or "dash" && run[1].StartsWith('-') && run[1].EndsWith('c');

    /// <summary>Replaces each <c>${params.x}</c> by a variable that holds the value, quoted as its place in the line asks.</summary>
    /// <remarks>A shell never reads an expanded value as code, so that a wrong guess of the place can only split or quote too much.</remarks>
    internal static string WithVariables(string line, IReadOnlyDictionary<string, JsonElement> values, IDictionary<string, string> variables)
    {
        var result = new StringBuilder(line.Length);
        var quote = '\0';
        var references = ParamReferences.In(line);
        var next = 0;
        for (var i = 0; i < line.Length; i++)
        {
            if (next < references.Length && references[next].Start == i)
            {
                var reference = references[next++];
                var name = $"SLIPWAY_PARAM_{next}";
                variables[name] = StageParams.Text(values[reference.Name]);
                result.Append(quote switch { '"' => $"${{{name}}}", '\'' => $"'\"${{{name}}}\"'", _ => $"\"${{{name}}}\"" });
                i += reference.Length - 1;
                continue;
            }

            result.Append(line[i]);
            if (line[i] == '\\' && quote != '\'' && i + 1 < line.Length)
                result.Append(line[++i]);
            else if (line[i] is '"' or '\'')
                quote = quote == '\0' ? line[i] : quote == line[i] ? '\0' : quote;
        }

        return result.ToString();
    }
}
