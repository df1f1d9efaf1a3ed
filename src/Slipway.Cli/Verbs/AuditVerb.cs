using System.CommandLine;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway audit [list]|verify|prove|check|export|erase</c>: the team's ledger.</summary>
internal static class AuditVerb
{
    public static Command Build(GlobalOptions global)
    {
        var verb = new Command("audit", "Shows who did what, when and why, and checks that nobody changed the record of it.\nExample: slipway audit --subject models/flight-delay")
        {
            new AuditList(global).Build(),
            AuditVerify.BuildVerify(global),
            AuditProof.BuildProve(global),
            AuditProof.BuildCheck(global),
            AuditVerify.BuildExport(global),
            AuditErase.Build(global),
        };
        // Without a further word it lists.
        new AuditList(global).AddTo(verb);
        return verb;
    }
}
