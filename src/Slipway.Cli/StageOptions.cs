using System.Collections;
using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using Slipway.Cli.Verbs;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Primitives.Processes;
using Slipway.Runtime.Hardware;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>What every verb that runs stages takes: <c>--isolation</c> and <c>--secret-command</c>.</summary>
internal sealed class StageOptions
{
    private readonly IsolationOption isolation = new();

    private readonly Option<string?> secretCommand = new("--secret-command")
    {
        Description = "Program that answers the value of a secret, whose name is its last argument; asked where neither a variable nor a file of $SLIPWAY_SECRETS has it",
        HelpName = "CMD",
    };

    public void AddTo(Command verb)
    {
        verb.Options.Add(secretCommand);
        isolation.AddTo(verb);
    }

    /// <summary>A new run's options.</summary>
    public RunOptions Read(ParseResult parsed, Shell shell, TimeProvider clock) => new()
    {
        RunId = RunRecord.NewId(clock.GetUtcNow(), BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4))),
        SqlProgram = ChildCommand.ThisProgram(SqlStageVerb.Name),
        Clock = clock,
        Isolation = isolation.Read(parsed),
        Host = HostCapacity.Read(),
        Secrets = Secrets(parsed.GetValue(secretCommand), shell.Folder),
    };

    public static ImmutableDictionary<string, string> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToImmutableDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    private static SecretSource Secrets(string? command, string folder)
    {
        var variables = Variables();
        return new SecretSource
        {
            Environment = variables,
            Folder = variables.GetValueOrDefault(SecretSource.FolderVariable) is { Length: > 0 } named ? Path.GetFullPath(named, folder) : null,
            Command = command ?? (variables.GetValueOrDefault(SecretSource.CommandVariable) is { Length: > 0 } standing ? standing : null),
            Withheld = [SignCommand.KeyVariable, SignCommand.PassphraseVariable],
        };
    }
}
