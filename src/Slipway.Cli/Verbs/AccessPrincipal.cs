using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway access principal add|change</c>, <c>grant</c> and <c>revoke</c>.</summary>
internal static class AccessPrincipal
{
    public static Command Add(GlobalOptions global)
    {
        var name = new Argument<string>("name") { Description = "What people call it" };
        var service = new Option<bool>("--service") { Description = "A program; it never approves" };
        var groups = new Option<string[]>("--group") { Description = "A group that it is in; may be repeated", HelpName = "GROUP" };
        var roles = new Option<string[]>("--role") { Description = "A role: viewer, author, approver, operator, admin or gateway, over one model or all; may be repeated", HelpName = "ROLE[:MODEL]" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("add", "Adds a person or a program; give it a token with `access token new`.\nExample: slipway access principal add ci --service --role author:flight-delay --reason 'builds push'") { name, service, groups, roles, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var wanted = new NewPrincipal(
                parsed.GetRequiredValue(name),
                parsed.GetValue(service) ? PrincipalKind.Service : PrincipalKind.Person,
                [.. parsed.GetValue(groups) ?? []],
                AccessNames.Roles(parsed.GetValue(roles)),
                parsed.GetRequiredValue(reason));
            using var client = ServerClient.Open(parsed.GetValue(server));
            return Tell(global.Shell(parsed), await client.PostAsync("/api/v1/principals", wanted, AccessJson.Default.NewPrincipal, AccessJson.Default.Principal, cancellation));
        });
        return verb;
    }

    public static Command Change(GlobalOptions global)
    {
        var principal = PrincipalArgument();
        var name = new Option<string?>("--name") { Description = "A new name", HelpName = "NAME" };
        var join = new Option<string[]>("--join") { Description = "A group to be in; may be repeated", HelpName = "GROUP" };
        var leave = new Option<string[]>("--leave") { Description = "A group to be no longer in; may be repeated", HelpName = "GROUP" };
        var disable = new Option<bool>("--disable") { Description = "Its tokens prove nothing from now on" };
        var enable = new Option<bool>("--enable") { Description = "Its tokens count again" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("change", "Changes name and groups of a person or program, or disables it.\nExample: slipway access principal change bob --disable --reason 'left the company'") { principal, name, join, leave, disable, enable, reason, server };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(disable) && result.GetValue(enable))
                result.AddError("--disable and --enable exclude each other");
        });
        verb.SetAction((parsed, cancellation) =>
        {
            bool? disabled = parsed.GetValue(disable) ? true : parsed.GetValue(enable) ? false : null;
            var change = new PrincipalChange(parsed.GetValue(name), disabled, [.. parsed.GetValue(join) ?? []], [.. parsed.GetValue(leave) ?? []], [], [], parsed.GetRequiredValue(reason));
            return ChangeAsync(global.Shell(parsed), parsed.GetValue(server), parsed.GetRequiredValue(principal), change, cancellation);
        });
        return verb;
    }

    public static Command Grant(GlobalOptions global) =>
        BuildRole(global, "grant", "Grants a role.\nExample: slipway access grant alice approver flight-delay --reason 'she reviews it'", (role, reason) => new(null, null, [], [], [role], [], reason));

    public static Command Revoke(GlobalOptions global) =>
        BuildRole(global, "revoke", "Takes a role back; tokens lose it at once.\nExample: slipway access revoke alice approver flight-delay --reason 'moved on'", (role, reason) => new(null, null, [], [], [], [role], reason));

    private static Command BuildRole(GlobalOptions global, string verbName, string description, Func<RoleGrant, string, PrincipalChange> change)
    {
        var principal = PrincipalArgument();
        var role = new Argument<string>("role") { Description = "viewer, author, approver, operator, admin or gateway" };
        var model = new Argument<string?>("model") { Description = "Over this model; default: all models", Arity = ArgumentArity.ZeroOrOne };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command(verbName, description) { principal, role, model, reason, server };
        verb.SetAction((parsed, cancellation) => ChangeAsync(
            global.Shell(parsed), parsed.GetValue(server), parsed.GetRequiredValue(principal), change(AccessNames.Role(parsed.GetRequiredValue(role), parsed.GetValue(model)), parsed.GetRequiredValue(reason)), cancellation));
        return verb;
    }

    private static async Task<int> ChangeAsync(Shell shell, string? where, string name, PrincipalChange change, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var principal = await AccessNames.PrincipalAsync(server, name, cancellation);
        return Tell(shell, await server.PostAsync($"/api/v1/principals/{principal.Id}/changes", change, AccessJson.Default.PrincipalChange, AccessJson.Default.Principal, cancellation));
    }

    private static int Tell(Shell shell, Principal principal)
    {
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(principal, AccessJson.Default.Principal)!);
        else
            AccessText.Tell(shell, principal);
        return (int)ExitCode.Done;
    }

    private static Argument<string> PrincipalArgument() => new("principal") { Description = "Its name, or its id where several are called so" };
}
