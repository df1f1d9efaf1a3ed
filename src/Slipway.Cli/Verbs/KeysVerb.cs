using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Trust.Signing;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway keys new|show|list</c>.</summary>
internal static class KeysVerb
{
    public static Command Build(GlobalOptions global)
    {
        var name = new Argument<string>("name") { Description = "Name of the key, or a path with a slash", DefaultValueFactory = _ => "default" };
        var plain = new Option<bool>("--no-passphrase") { Description = "Protect the key by file permissions alone" };
        var make = new Command("new", "Makes a P-256 key pair; an existing one is never overwritten.\nExample: slipway keys new") { name, plain };
        make.SetAction(parsed => New(global.Shell(parsed), parsed.GetRequiredValue(name), parsed.GetValue(plain)));

        var show = new Command("show", "Shows a key pair's public half.\nExample: slipway keys show") { name };
        show.SetAction(parsed => Show(global.Shell(parsed), parsed.GetRequiredValue(name)));
        var list = new Command("list", "Lists the public keys of your key folder: whose word `slipway verify` believes where nothing else is said.\nExample: slipway keys list");
        list.SetAction(parsed => List(global.Shell(parsed)));
        return new Command("keys", "Makes and shows signing keys.\nExample: slipway keys new") { make, show, list };
    }

    private static int New(Shell shell, string name, bool plain)
    {
        var file = KeyFolder.FileOf(name);
        using var key = SigningKey.Create();
        key.Save(file, plain ? null : KeyFolder.NewPassphrase());
        if (plain)
            shell.Warn($"whoever can read {file} can sign as you; its public half says so, and a server does not take it as a builder's unless it is told to");
        return Tell(shell, file, key.PublicKey, made: true, plain);
    }

    private static int Show(Shell shell, string name)
    {
        var file = KeyFolder.FileOf(name);
        return Tell(shell, file, VerificationKey.Load(file + ".pub"), made: false, plain: false);
    }

    private static int List(Shell shell)
    {
        var files = Directory.Exists(KeyFolder.Path) ? Directory.GetFiles(KeyFolder.Path, "*.pub").Order(StringComparer.Ordinal).ToList() : [];
        var keys = files.Select(file => (File: file, Key: VerificationKey.Load(file), HasPrivate: File.Exists(file[..^".pub".Length]))).ToList();
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["keys"] = new JsonArray([.. keys.Select(key => (JsonNode)new JsonObject { ["id"] = key.Key.KeyId, ["publicFile"] = key.File, ["private"] = key.HasPrivate, ["unprotected"] = key.Key.IsUnprotected })]),
            });
            return 0;
        }

        foreach (var (file, key, hasPrivate) in keys)
            shell.Out.WriteLine($"{key.KeyId[..12]}  {(hasPrivate ? "yours" : "public half alone"),-17}  {file}{(key.IsUnprotected ? "   (made without a passphrase)" : "")}");
        if (keys.Count == 0)
            shell.Note($"there is no key in {KeyFolder.Path}; `slipway keys new` makes one");
        return 0;
    }

    private static int Tell(Shell shell, string file, VerificationKey key, bool made, bool plain)
    {
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject { ["key"] = new JsonObject { ["id"] = key.KeyId, ["file"] = file, ["publicFile"] = file + ".pub" } });
            return 0;
        }

        if (made)
            shell.Out.WriteLine($"made {file} (P-256, {(plain ? "protected by file permissions alone" : "encrypted with the passphrase")})");
        shell.Out.WriteLine($"key id  {key.KeyId}");
        shell.Out.WriteLine($"public  {file}.pub   (give this file to those who verify)");
        if (!made)
            shell.Out.Write(key.ToPem());
        return 0;
    }
}
