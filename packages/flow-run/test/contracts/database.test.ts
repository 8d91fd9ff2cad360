import { describeEachDatabase } from "../support/describe-each-database.ts";
import { databaseContract } from "./database.contract.ts";

describeEachDatabase("The database port", databaseContract);
