using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Hardware;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>The exact command and environment of a stage. Nothing of the user's own environment is in it.</summary>
internal static class StageCommand
{
    /// <summary>Bytes that the program of an SQL stage needs beside what its engine may use.</summary>
    private const long AroundEngine = 512L << 20;

    /// <param name="folder">Made for this execution.</param>
    /// <param name="profile">The stage's hardware profile; null without one.</param>
    /// <param name="settings">The run's.</param>
    public static EnclosedCommand Of(StageSpec stage, StepKeyDocument step, StageFolder folder, HardwareProfile? profile, RunOptions options, HostSettings settings)
    {
        var variables = Environment(step, folder.Seen);
        foreach (var (name, value) in options.SecretsOf(stage))
            variables.Add(name, value);
        var hasNetwork = stage.Network != StageNetwork.None;
        var limits = ResourceLimits.Of(profile, options.HostMemory);
        var mounts = options.Isolation == Isolation.None ? [] : HostSoftware.Mounts(isPackaged: step.Environment is not null).Concat(settings.Mounts(hasNetwork)).Concat(folder.Mounts());
        IReadOnlyList<string> arguments;
        if (step.Run is not { } run)
        {
            // A framework-dependent program finds its runtime here; it is the one that runs now.
            var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
            variables["DOTNET_ROOT"] = runtime;
            variables["DOTNET_EnableDiagnostics"] = "0";
            arguments = [.. options.SqlProgram, folder.Seen.RequestFile];
            mounts = mounts.Concat(ProgramFolders(options.SqlProgram, runtime).Select(path => new Mount(MountKind.ReadOnly, path, path)));
            // The profile's memory is the engine's, which spills to disk beyond it; the program around it comes on top.
            limits = limits with { Memory = new ByteSize(limits.Memory.Bytes + AroundEngine) };
        }
        else
        {
            // A shell's own line gets its params as variables, which no quoting can break.
            arguments = IsShellLine(run)
                ? [run[0], run[1], WithVariables(run[2], step.Params, variables), .. run[3..].Select(Filled)]
                : [.. run.Select(Filled)];
            _ = ChildProcess.Find(arguments[0], folder.Root, variables["PATH"]);
        }

        string Filled(string argument) => ParamReferences.Fill(argument, name => StageParams.Text(step.Params[name]));

        return new EnclosedCommand($"{options.RunId}-{GroupName(stage.Name)}", arguments, folder.Seen.Root, variables, [.. mounts], folder.Path, Network: hasNetwork, options.Isolation, limits)
        {
            Devices = AcceleratorDevices.Of(profile?.Accelerator),
            FixedAddresses = step.FixedAddresses,
        };
    }

    /// <summary>Where the program of an SQL stage is, as far as it is not the host's software anyway.</summary>
    private static IEnumerable<string> ProgramFolders(IEnumerable<string> program, string runtime) =>
        program.Where(word => word.StartsWith('/') && File.Exists(word)).Append(DuckDatabase.LibraryFile).Select(word => Path.GetDirectoryName(word)!).Append(runtime)
            .Where(path => !path.StartsWith("/usr/", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private static Dictionary<string, string> Environment(StepKeyDocument step, StagePlaces places)
    {
        var variables = EncapsulatedVariables.Of(places.Home, places.Temporary, step.Threads, step.Seed, step.Environment is not null);
        variables["SOURCE_DATE_EPOCH"] = step.Epoch.ToString();
        variables["SLIPWAY_SEED"] = step.Seed.ToString();
        variables["SLIPWAY_STAGE"] = places.StageFile;
        variables["SLIPWAY_INPUTS"] = places.Inputs;
        variables["SLIPWAY_PROGRESS"] = Enclosure.ProgressDescriptor.ToString();
        return variables;
    }

    /// <summary>The names of combinations have characters that a control group's name has not.</summary>
    private static string GroupName(string stage) => NameIsPlain(stage) ? stage : $"{stage[..stage.IndexOf('@')]}_{Primitives.Bytes.Digest.Of(Encoding.UTF8.GetBytes(stage)).Hex[..16]}";

    private static bool NameIsPlain(string stage) => stage.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

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
